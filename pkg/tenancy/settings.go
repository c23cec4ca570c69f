package tenancy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// valuesOf merges what a chart of the spec sets: valuesFrom in order, values, then
// settings in order. The result shares nothing with the spec.
func valuesOf(namespace string, chart v1alpha1.Chart, references References) (map[string]any, error) {
	values := map[string]any{}
	if err := addReferenced(values, namespace, chart, references); err != nil {
		return nil, err
	}
	if chart.Values != nil && len(chart.Values.Raw) > 0 {
		var own map[string]any
		if err := json.Unmarshal(chart.Values.Raw, &own); err != nil {
			return nil, fmt.Errorf("values are not a map: %w", ErrValues)
		}
		merge(values, own)
	}
	seen := map[string]bool{}
	for _, s := range chart.Settings {
		if seen[s.Key] {
			return nil, fmt.Errorf("%w: key %q is listed twice; keep one of them", ErrSetting, s.Key)
		}
		seen[s.Key] = true
		if err := apply(values, s); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func apply(values map[string]any, s v1alpha1.Setting) error {
	path, err := parsePath(s.Key)
	if err != nil {
		return fmt.Errorf("%w: key %q is not a path: %w", ErrSetting, s.Key, err)
	}
	if path[0].inList {
		return fmt.Errorf("%w: key %q begins with a list index; the values of a chart are a map", ErrSetting, s.Key)
	}
	value, err := valueOf(s)
	if err != nil {
		return err
	}
	if _, err := set(values, path, value); err != nil {
		return fmt.Errorf("%w: key %q cannot be set: %w", ErrSetting, s.Key, err)
	}
	return nil
}

func valueOf(s v1alpha1.Setting) (any, error) {
	switch s.Type {
	case v1alpha1.SettingString:
		return s.Value, nil
	case v1alpha1.SettingJSON:
		var value any
		if err := json.Unmarshal([]byte(s.Value), &value); err != nil {
			return nil, fmt.Errorf("%w: the value of key %q is not JSON, as its type says", ErrSetting, s.Key)
		}
		return value, nil
	}
	return scalar(s.Value), nil
}

var (
	boolean = regexp.MustCompile(`^(true|True|TRUE|false|False|FALSE)$`)
	integer = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)$`)
	decimal = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)?\.[0-9]+$`)
)

// scalar types a text as YAML does. Where YAML 1.1 and 1.2 disagree (yes, 0123,
// 1e6, 1_000) and for null it stays text, so that nothing a person wrote gets
// another meaning or removes a default.
func scalar(text string) any {
	switch {
	case boolean.MatchString(text):
		return text[0] == 't' || text[0] == 'T'
	case integer.MatchString(text):
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return i
		}
	case decimal.MatchString(text):
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f
		}
	}
	return text
}
