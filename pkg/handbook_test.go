package pkg_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestHandbook: whatever word the operator answers with, the handbook has an
// entry for it. The words are read from the source, so that a new one is missed.
func TestHandbook(t *testing.T) {
	text, err := os.ReadFile("../doc/failure-handbook.md")
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		file   string
		prefix string // of the names the texts are assigned to
		least  int    // how many there are, so that none is not taken for all
	}{
		"the reasons of conditions":        {"api/v1alpha1/status.go", "Reason", 9},
		"the phases of a release":          {"api/v1alpha1/status.go", "Release", 9},
		"the phases of a tenancy":          {"api/v1alpha1/status.go", "Tenancy", 5},
		"the phases of a test":             {"api/v1alpha1/status.go", "Test", 3},
		"the reasons of events":            {"controller/events.go", "reason", 18},
		"what can be wrong with a release": {"tenancy/errors.go", "Err", 11},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			words := texts(t, tc.file, tc.prefix)
			if len(words) < tc.least {
				t.Errorf("%s has %d texts, want at least %d", tc.file, len(words), tc.least)
			}
			for _, word := range words {
				if !strings.Contains(string(text), "`"+word+"`") {
					t.Errorf("doc/failure-handbook.md does not mention `%s`", word)
				}
			}
		})
	}
}

// texts lists the texts in what a file assigns, outside of functions, to names
// with a prefix.
func texts(t *testing.T, path, prefix string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range group.Specs {
			value, ok := spec.(*ast.ValueSpec)
			if !ok || !strings.HasPrefix(value.Names[0].Name, prefix) {
				continue
			}
			for _, expr := range value.Values {
				ast.Inspect(expr, func(n ast.Node) bool {
					if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
						if word, err := strconv.Unquote(lit.Value); err == nil {
							out = append(out, word)
						}
					}
					return true
				})
			}
		}
	}
	return out
}
