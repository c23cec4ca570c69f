package tenancy

import (
	"fmt"
	"unicode/utf8"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// defaultKey is where the values are in an object when valuesFrom names no key.
const defaultKey = "values.yaml"

// Reference names an object that values are taken from.
type Reference struct {
	Namespace string
	Kind      v1alpha1.ReferenceKind
	Name      string
}

// String is the kind, then namespace/name.
func (r Reference) String() string { return fmt.Sprintf("%s %s/%s", r.Kind, r.Namespace, r.Name) }

// ReferenceState says what is known about the data that is referred to.
type ReferenceState int

// The states of data that is referred to.
const (
	// ReferenceUnknown: nobody has looked yet.
	ReferenceUnknown ReferenceState = iota
	// ReferenceNoObject: the object does not exist.
	ReferenceNoObject
	// ReferenceNoKey: the object has no such key.
	ReferenceNoKey
	// ReferenceFound: the data is there.
	ReferenceFound
)

// References finds the data that valuesFrom names.
type References interface {
	// Lookup gives the data of a key, which must not be changed.
	Lookup(ref Reference, key string) ([]byte, ReferenceState)
}

// referencesOf lists the objects that the values of a chart are taken from.
func referencesOf(namespace string, chart v1alpha1.Chart) []Reference {
	var out []Reference
	for _, from := range chart.ValuesFrom {
		out = append(out, Reference{Namespace: namespace, Kind: from.Kind, Name: from.Name})
	}
	return out
}

// addReferenced lays over values what the objects of valuesFrom hold, in order.
// No error quotes what they hold.
func addReferenced(values map[string]any, namespace string, chart v1alpha1.Chart, references References) error {
	for _, from := range chart.ValuesFrom {
		ref := Reference{Namespace: namespace, Kind: from.Kind, Name: from.Name}
		key := from.Key
		if key == "" {
			key = defaultKey
		}
		data, state := references.Lookup(ref, key)
		switch {
		case state == ReferenceUnknown:
			return fmt.Errorf("%w: waits until %s is known", ErrReferencePending, ref)
		case state != ReferenceFound && from.Optional:
			continue
		case state == ReferenceNoObject:
			return fmt.Errorf("%w: %s does not exist (key %q is asked for); the release goes on when it does", ErrReference, ref, key)
		case state == ReferenceNoKey:
			return fmt.Errorf("%w: %s has no key %q; the release goes on when it has", ErrReference, ref, key)
		}
		if err := addData(values, data, from.TargetPath); err != nil {
			return fmt.Errorf("%w: key %q of %s %w", ErrReference, key, ref, err)
		}
	}
	return nil
}

// addData puts data at a path as text, or without one reads it as YAML. The error
// says what the data is not.
func addData(values map[string]any, data []byte, path string) error {
	if path == "" {
		read, err := parseYAML(data)
		if err != nil {
			return err
		}
		merge(values, read)
		return nil
	}
	if !utf8.Valid(data) {
		return fmt.Errorf("is not text, as targetPath %q needs it", path)
	}
	steps, err := parsePath(path)
	if err != nil {
		return fmt.Errorf("cannot be put at targetPath %q, which is not a path: %w", path, err)
	}
	if steps[0].inList {
		return fmt.Errorf("cannot be put at targetPath %q, which begins with a list index", path)
	}
	if _, err := set(values, steps, string(data)); err != nil {
		return fmt.Errorf("cannot be put at targetPath %q: %w", path, err)
	}
	return nil
}

// merge lays values over others, as Helm does with several files: maps are
// merged, all else is replaced. into takes over parts of from.
func merge(into, from map[string]any) {
	for name, value := range from {
		below, isMap := value.(map[string]any)
		had, hadMap := into[name].(map[string]any)
		if isMap && hadMap {
			merge(had, below)
			continue
		}
		into[name] = value
	}
}
