package tenancy

import (
	"fmt"
	"slices"
	"strings"
)

// order gives every release its position: the spec's order, with each release
// after those it depends on. What depends on nothing that is there, or on itself in
// the end, gets an error and the place the spec gives it.
func order(releases []Release) {
	o := orderer{releases: releases, index: map[string]int{}, place: map[int]int{}}
	for i, rel := range releases {
		o.index[rel.Key.Name] = i
	}
	for i := range releases {
		o.visit(i, nil)
	}
	for i, place := range o.place {
		releases[i].Position = place
	}
}

type orderer struct {
	releases []Release
	index    map[string]int
	place    map[int]int
}

// visit places what a release depends on, then the release. path is how it was
// reached.
func (o *orderer) visit(i int, path []int) {
	if _, placed := o.place[i]; placed {
		return
	}
	if at := slices.Index(path, i); at >= 0 {
		o.cycle(path[at:])
		return
	}
	path = append(slices.Clone(path), i)
	rel := &o.releases[i]
	for _, name := range rel.DependsOn {
		next, exists := o.index[name]
		if !exists {
			o.fail(i, fmt.Errorf("release %s: %w: release %q is not in the tenancy", rel.Key, ErrDependency, name))
			continue
		}
		o.visit(next, path)
	}
	if _, placed := o.place[i]; !placed {
		o.place[i] = len(o.place)
	}
}

// cycle fails every release of a circle, and names the circle.
func (o *orderer) cycle(circle []int) {
	var names []string
	for _, i := range circle {
		names = append(names, o.releases[i].Key.Name)
	}
	names = append(names, names[0])
	for _, i := range circle {
		o.fail(i, fmt.Errorf("release %s: %w: it goes in a circle: %s", o.releases[i].Key, ErrDependency, strings.Join(names, " -> ")))
	}
}

func (o *orderer) fail(i int, err error) {
	if o.releases[i].Err == nil {
		o.releases[i].Err = err
	}
}
