package tenancy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
)

// maxReleaseName is the longest name that Helm gives a release.
const maxReleaseName = 53

// option is a text among the options of a chart in which a parameter may stand.
type option struct {
	name string
	text *string
	// check says what is wrong with the text once it is filled; never by quoting it.
	check func(string) error
}

// optionsOf lists the texts of a chart beside its values and settings. A targetPath
// is none: a parameter must not choose what is set.
func optionsOf(c *v1alpha1.Chart) []option {
	out := []option{
		{name: "chartName", text: &c.ChartName, check: checkChart},
		{name: "repository", text: &c.Repository, check: checkRepository},
		{name: "version", text: &c.Version, check: checkVersion},
		{name: "releaseName", text: &c.ReleaseName, check: checkRelease},
	}
	for i := range c.ValuesFrom {
		out = append(out,
			option{name: "valuesFrom.name", text: &c.ValuesFrom[i].Name, check: checkObject},
			option{name: "valuesFrom.key", text: &c.ValuesFrom[i].Key, check: checkKey})
	}
	for i := range c.DependsOn {
		out = append(out, option{name: "dependsOn", text: &c.DependsOn[i], check: checkRelease})
	}
	return out
}

// fillOptions is a chart of a plan with parameters in its options. One that is missing
// leaves its option as the plan has it, unless no name of the release comes of it.
func fillOptions(c v1alpha1.Chart, p parameters) (v1alpha1.Chart, error) {
	c.ValuesFrom, c.DependsOn = slices.Clone(c.ValuesFrom), slices.Clone(c.DependsOn)
	written := c.ChartName
	for _, o := range optionsOf(&c) {
		t, err := parseTemplate(*o.text)
		if err != nil {
			return c, err
		}
		if len(t.names) == 0 {
			*o.text = t.literals[0]
			continue
		}
		text := *o.text
		if p.have(t.names) {
			text = (&filler{parameters: p}).text(t)
		} else if o.text != &c.ReleaseName {
			continue
		}
		if err := o.check(text); err != nil {
			return c, fmt.Errorf("%w: %s of chart %s with its parameters in it: %w", ErrPlan, o.name, written, err)
		}
		*o.text = text
	}
	return c, nil
}

var (
	label        = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	chartName    = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`)
	repository   = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)
	versionRange = regexp.MustCompile(`^[-+.*^~<>=!|, 0-9A-Za-z]*$`)
)

func checkRelease(name string) error {
	if len(name) > maxReleaseName || !label.MatchString(name) {
		return fmt.Errorf("the name of a release has lower case letters, digits and -, begins and ends with a letter or digit, and has at most %d characters", maxReleaseName)
	}
	return nil
}

func checkChart(name string) error {
	if len(name) > 128 || !chartName.MatchString(name) {
		return errors.New("the name of a chart has letters, digits, -, _ and dots, and at most 128 characters")
	}
	return nil
}

func checkRepository(name string) error {
	if len(name) > 63 || !repository.MatchString(name) {
		return errors.New("it is no name of a repository")
	}
	return nil
}

func checkVersion(text string) error {
	if len(text) > 128 || !versionRange.MatchString(text) {
		return errors.New("it is neither a version nor a range of versions")
	}
	return nil
}

func checkObject(name string) error {
	if len(validation.IsDNS1123Subdomain(name)) > 0 {
		return errors.New("it is no name of a ConfigMap or Secret")
	}
	return nil
}

func checkKey(key string) error {
	if len(validation.IsConfigMapKey(key)) > 0 {
		return errors.New("it is no key of a ConfigMap or Secret")
	}
	return nil
}
