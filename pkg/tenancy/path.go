package tenancy

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	// maxDepth bounds how deep a setting may reach; Helm allows 30 levels.
	maxDepth = 30
	// maxIndex bounds a list index, since every item before it is made too.
	maxIndex = 1023
)

// step is one part of a path: a name in a map, or an index in a list.
type step struct {
	name   string
	index  int
	inList bool
}

func (s step) String() string {
	if s.inList {
		return "[" + strconv.Itoa(s.index) + "]"
	}
	return s.name
}

// parsePath reads a Helm path: names joined by dots, list items as [0], and a
// backslash before a character that is part of a name.
func parsePath(key string) ([]step, error) {
	p := pathParser{}
	for _, r := range key {
		if err := p.next(r); err != nil {
			return nil, err
		}
	}
	return p.end()
}

type pathParser struct {
	steps   []step
	name    strings.Builder
	index   strings.Builder
	escaped bool
	inIndex bool
	// closed is true right after "]", where only "." or "[" may follow.
	closed bool
}

func (p *pathParser) next(r rune) error {
	switch {
	case p.escaped:
		p.escaped = false
		p.name.WriteRune(r)
	case p.inIndex && r == ']':
		return p.closeIndex()
	case p.inIndex:
		p.index.WriteRune(r)
	case r == '[':
		if !p.closed {
			if err := p.closeName(); err != nil {
				return err
			}
		}
		p.inIndex, p.closed = true, false
	case r == '.':
		if p.closed {
			p.closed = false
			return nil
		}
		return p.closeName()
	case p.closed:
		return fmt.Errorf("%q must not follow ]", r)
	case r == '\\':
		p.escaped = true
	case strings.ContainsRune("=,{}]", r):
		return fmt.Errorf(`%q must be written \%c in a name`, r, r)
	default:
		p.name.WriteRune(r)
	}
	return nil
}

func (p *pathParser) closeName() error {
	if p.name.Len() == 0 {
		return fmt.Errorf("a name is empty")
	}
	p.steps = append(p.steps, step{name: p.name.String()})
	p.name.Reset()
	return nil
}

func (p *pathParser) closeIndex() error {
	i, err := strconv.Atoi(p.index.String())
	if err != nil || i < 0 {
		return fmt.Errorf("[%s] is not a list index", p.index.String())
	}
	if i > maxIndex {
		return fmt.Errorf("[%d] is beyond the largest list index, %d", i, maxIndex)
	}
	p.steps = append(p.steps, step{index: i, inList: true})
	p.index.Reset()
	p.inIndex, p.closed = false, true
	return nil
}

func (p *pathParser) end() ([]step, error) {
	if p.inIndex || p.escaped {
		return nil, fmt.Errorf("it ends too early")
	}
	if !p.closed {
		if err := p.closeName(); err != nil {
			return nil, err
		}
	}
	if len(p.steps) > maxDepth {
		return nil, fmt.Errorf("it is deeper than %d levels", maxDepth)
	}
	return p.steps, nil
}

// set puts a value at the end of a path below node and returns node, made
// where it was missing. It refuses to turn one kind of node into another.
func set(node any, path []step, value any) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	if path[0].inList {
		return setInList(node, path, value)
	}
	return setInMap(node, path, value)
}

func setInMap(node any, path []step, value any) (any, error) {
	m, ok := node.(map[string]any)
	if !ok && node != nil {
		return nil, fmt.Errorf("%s is below a value that is no map", path[0])
	}
	if m == nil {
		m = map[string]any{}
	}
	child, err := set(m[path[0].name], path[1:], value)
	if err != nil {
		return nil, err
	}
	m[path[0].name] = child
	return m, nil
}

func setInList(node any, path []step, value any) (any, error) {
	list, ok := node.([]any)
	if !ok && node != nil {
		return nil, fmt.Errorf("%s is below a value that is no list", path[0])
	}
	for len(list) <= path[0].index {
		list = append(list, nil)
	}
	child, err := set(list[path[0].index], path[1:], value)
	if err != nil {
		return nil, err
	}
	list[path[0].index] = child
	return list, nil
}
