package tenancy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// ownNamespace is the parameter that every tenancy has.
const ownNamespace = "namespace"

// maxFilled bounds the bytes of text that the parameters of one tenancy make of
// one chart: Helm's record of a release holds no more.
const maxFilled = 1 << 20

var parameterName = regexp.MustCompile(`^[A-Za-z_][-A-Za-z0-9_.]{0,62}$`)

// template is a text of a plan with the names of parameters in it. It stands in a tree
// of values where the text will be, so that a parameter is never read as anything else.
type template struct {
	// literals are the texts before, between and after the names: one more than these.
	literals []string
	names    []string
	// typed says that the filled text is typed as a setting is.
	typed bool
}

// parseTemplate reads a text: $(name) is a parameter, and $$( a literal $(. The
// error does not quote the text, which may hold anything.
func parseTemplate(text string) (*template, error) {
	t := &template{}
	var literal strings.Builder
	for {
		before, after, found := strings.Cut(text, "$(")
		if !found {
			literal.WriteString(text)
			t.literals = append(t.literals, literal.String())
			return t, nil
		}
		if escaped, cut := strings.CutSuffix(before, "$"); cut {
			literal.WriteString(escaped + "$(")
			text = after
			continue
		}
		name, rest, closed := strings.Cut(after, ")")
		if !closed || !parameterName.MatchString(name) {
			return nil, fmt.Errorf("%w: it has a $( that is not followed by the name of a parameter and ); write $$( for a literal $(", ErrPlan)
		}
		literal.WriteString(before)
		t.literals, t.names = append(t.literals, literal.String()), append(t.names, name)
		literal.Reset()
		text = rest
	}
}

// parameters are those of one tenancy.
type parameters struct {
	namespace string
	own       map[string]v1alpha1.Parameter
}

func (p parameters) lookup(name string) (string, bool) {
	if name == ownNamespace {
		return p.namespace, true
	}
	value, ok := p.own[name]
	return string(value), ok
}

func (p parameters) have(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		_, has := p.lookup(name)
		return !has
	})
}

// filler puts parameters into the values of one chart.
type filler struct {
	parameters
	// filled is how many bytes that has made.
	filled int
}

// tree copies a tree of values with its templates filled.
func (f *filler) tree(node any) any {
	switch v := node.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, child := range v {
			out[name] = f.tree(child)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, child := range v {
			out[i] = f.tree(child)
		}
		return out
	case *template:
		text := f.text(v)
		if v.typed {
			return scalar(text)
		}
		return text
	}
	return node
}

// text is a template with the parameters in their places; once it is too much,
// it is empty. What a parameter holds is not read again.
func (f *filler) text(t *template) string {
	var out strings.Builder
	for i, literal := range t.literals {
		value := ""
		if i < len(t.names) {
			value, _ = f.lookup(t.names[i]) // whether all are there was asked before
		}
		if f.filled += len(literal) + len(value); f.filled > maxFilled {
			return ""
		}
		out.WriteString(literal)
		out.WriteString(value)
	}
	return out.String()
}

// err says that it has become too much.
func (f *filler) err() error {
	if f.filled > maxFilled {
		return fmt.Errorf("%w: with its parameters in them the texts of the chart are longer than %d bytes", ErrPlan, maxFilled)
	}
	return nil
}
