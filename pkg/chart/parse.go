package chart

import (
	"errors"
	"fmt"

	"github.com/Masterminds/semver/v3"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// rescue makes an error of a panic, to be deferred where parsers read what others
// wrote.
func rescue(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("it makes the parser panic: %v", p)
	}
}

// parse makes a chart of its files. Nobody else holds it.
func parse(files []*loader.BufferedFile) (c *helmchart.Chart, err error) {
	defer rescue(&err)
	return loader.LoadFiles(files)
}

// describe says what a chart is that can be installed.
func describe(files []*loader.BufferedFile) (tenancy.Chart, *semver.Version, error) {
	c, err := parse(files)
	if err != nil {
		return tenancy.Chart{}, nil, err
	}
	out := tenancy.Chart{Name: c.Name(), Version: c.Metadata.Version, AppVersion: c.Metadata.AppVersion}
	if c.Metadata.Type == "library" {
		return out, nil, errors.New("a library chart cannot be installed")
	}
	version, err := semver.NewVersion(c.Metadata.Version)
	if err != nil {
		return out, nil, fmt.Errorf("version %q of Chart.yaml is not a semantic version", c.Metadata.Version)
	}
	out.Digest = digest(files)
	return out, version, nil
}
