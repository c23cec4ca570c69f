package tenancy

import (
	"encoding/json"
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// layer is what one place of the spec sets in the values of a chart, read: of a
// plan once, for all its tenancies.
type layer struct {
	values   map[string]any
	settings []assignment
}

// assignment is a setting that was read.
type assignment struct {
	key   string
	path  []step
	value any
}

// texts reads the texts of a layer, which says where they are. A nil one takes them
// as they are.
type texts func(where, text string) (any, error)

func (r texts) read(where, text string) (any, error) {
	if r == nil {
		return text, nil
	}
	return r(where, text)
}

// tree reads the texts in a tree of values, in their places, and not its names.
func (r texts) tree(where string, node any) (any, error) {
	var err error
	switch v := node.(type) {
	case map[string]any:
		for name, child := range v {
			if v[name], err = r.tree(where, child); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, child := range v {
			if v[i], err = r.tree(where, child); err != nil {
				return nil, err
			}
		}
	case string:
		return r.read(where, v)
	}
	return node, nil
}

// readLayer reads values and settings. No error quotes what they hold.
func readLayer(values *apiextensionsv1.JSON, settings []v1alpha1.Setting, r texts) (*layer, error) {
	out := &layer{settings: make([]assignment, 0, len(settings))}
	if values != nil && len(values.Raw) > 0 {
		if err := json.Unmarshal(values.Raw, &out.values); err != nil {
			return nil, fmt.Errorf("values are not a map: %w", ErrValues)
		}
		if _, err := r.tree("values", out.values); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{}
	for _, s := range settings {
		if seen[s.Key] {
			return nil, fmt.Errorf("%w: key %q is listed twice; keep one of them", ErrSetting, s.Key)
		}
		seen[s.Key] = true
		a, err := readSetting(s, r)
		if err != nil {
			return nil, err
		}
		out.settings = append(out.settings, a)
	}
	return out, nil
}

func readSetting(s v1alpha1.Setting, r texts) (assignment, error) {
	path, err := parsePath(s.Key)
	if err != nil {
		return assignment{}, fmt.Errorf("%w: key %q is not a path: %w", ErrSetting, s.Key, err)
	}
	if path[0].inList {
		return assignment{}, fmt.Errorf("%w: key %q begins with a list index; the values of a chart are a map", ErrSetting, s.Key)
	}
	value, err := readValue(s, r)
	return assignment{key: s.Key, path: path, value: value}, err
}

func readValue(s v1alpha1.Setting, r texts) (any, error) {
	where := fmt.Sprintf("setting %q", s.Key)
	if s.Type == v1alpha1.SettingJSON {
		var value any
		if err := json.Unmarshal([]byte(s.Value), &value); err != nil {
			return nil, fmt.Errorf("%w: the value of key %q is not JSON, as its type says", ErrSetting, s.Key)
		}
		return r.tree(where, value)
	}
	value, err := r.read(where, s.Value)
	if err != nil || s.Type == v1alpha1.SettingString {
		return value, err
	}
	switch v := value.(type) {
	case string:
		return scalar(v), nil
	case *template:
		v.typed = true
	}
	return value, nil
}

// set sets the settings of a layer in values.
func (l *layer) set(values map[string]any, f *filler) error {
	for _, a := range l.settings {
		if _, err := set(values, a.path, f.tree(a.value)); err != nil {
			return fmt.Errorf("%w: key %q cannot be set: %w", ErrSetting, a.key, err)
		}
	}
	return nil
}
