package chart

import (
	"errors"
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v3"
)

// maxExpanded is how large YAML may become when its aliases are filled in.
const maxExpanded = 10 << 20

var errAliases = errors.New("its YAML aliases make it too large")

// anchor finds what may be an anchor. Without one there are no aliases.
var anchor = regexp.MustCompile(`(^|[\s\[{,:?-])&[^\s,\[\]{}&]`)

// checkAliases refuses YAML that is small as text and large when it is read. The
// parsers bound how many nodes aliases make, and not how many bytes.
func checkAliases(data []byte) error {
	if !anchor.Match(data) {
		return nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("it is not YAML: %w", err)
	}
	w := weigher{known: map[*yaml.Node]int64{}}
	_, err := w.weigh(&doc)
	return err
}

// weigher knows how large nodes become.
type weigher struct{ known map[*yaml.Node]int64 }

func (w weigher) weigh(n *yaml.Node) (int64, error) {
	const open = -1
	if size, seen := w.known[n]; seen {
		if size == open {
			return 0, errors.New("a YAML alias contains itself")
		}
		return size, nil
	}
	w.known[n] = open
	size := int64(len(n.Value)) + 8
	parts := n.Content
	if n.Kind == yaml.AliasNode {
		parts = []*yaml.Node{n.Alias}
	}
	for _, part := range parts {
		more, err := w.weigh(part)
		if err != nil {
			return 0, err
		}
		if size += more; size > maxExpanded {
			return 0, errAliases
		}
	}
	w.known[n] = size
	return size, nil
}
