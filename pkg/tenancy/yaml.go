package tenancy

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v2"
)

const (
	// maxYAML bounds values that are read; no object of the API server is larger.
	maxYAML = 1 << 20
	// maxExpanded bounds what they become when aliases are followed, in bytes
	// of text and eight for each value.
	maxExpanded = 8 << 20
	// maxNesting bounds how deep they are; no chart comes near.
	maxNesting = 100
)

var atLine = regexp.MustCompile(`line (\d+)`)

// parseYAML reads values as Helm reads a file of them, YAML 1.1 with the types of
// JSON, but keeps whole numbers whole. The error says what the text is not, and
// never quotes it, as those of the parser do.
func parseYAML(data []byte) (map[string]any, error) {
	if len(data) > maxYAML {
		return nil, errors.New("is larger than 1 MiB")
	}
	var document any
	if err := yaml.Unmarshal(data, &document); err != nil {
		if line := atLine.FindStringSubmatch(err.Error()); line != nil {
			return nil, fmt.Errorf("is not YAML (line %s)", line[1])
		}
		return nil, errors.New("is not YAML, or has too many aliases")
	}
	if document == nil {
		return map[string]any{}, nil
	}
	value, err := (&converter{left: maxExpanded}).value(document, 0)
	if err != nil {
		return nil, err
	}
	values, isMap := value.(map[string]any)
	if !isMap {
		return nil, errors.New("is YAML that is not a map")
	}
	return values, nil
}

// converter turns what the YAML parser makes into what JSON has, within bounds:
// the parser shares texts among aliases, and the values of a release do not.
type converter struct{ left int }

func (c *converter) spend(n int) error {
	c.left -= n
	if c.left < 0 {
		return errors.New("becomes too large when its aliases are followed")
	}
	return nil
}

func (c *converter) value(node any, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("is nested deeper than %d levels", maxNesting)
	}
	if err := c.spend(8); err != nil {
		return nil, err
	}
	switch v := node.(type) {
	case nil, bool, int64:
		return v, nil
	case int:
		return int64(v), nil
	case uint64:
		return float64(v), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, errors.New("has a number that is infinite or none")
		}
		return v, nil
	case string:
		if !utf8.ValidString(v) {
			return nil, errors.New("has binary data, which values cannot hold")
		}
		return v, c.spend(len(v))
	case []any:
		return c.list(v, depth)
	case map[any]any:
		return c.mapping(v, depth)
	}
	return nil, errors.New("has a value of a type that JSON does not have")
}

func (c *converter) list(v []any, depth int) (any, error) {
	out := make([]any, len(v))
	for i, item := range v {
		var err error
		if out[i], err = c.value(item, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *converter) mapping(v map[any]any, depth int) (any, error) {
	out := make(map[string]any, len(v))
	for key, item := range v {
		name, err := nameOf(key)
		if err != nil {
			return nil, err
		}
		if err := c.spend(len(name)); err != nil {
			return nil, err
		}
		if out[name], err = c.value(item, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// nameOf is a key of a map as JSON has it.
func nameOf(key any) (string, error) {
	switch k := key.(type) {
	case string:
		if utf8.ValidString(k) {
			return k, nil
		}
	case bool:
		return strconv.FormatBool(k), nil
	case int, int64, uint64, float64:
		return fmt.Sprint(k), nil
	}
	return "", errors.New("has a key that is no text")
}
