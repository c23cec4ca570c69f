package release

import (
	"errors"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// redacted is an error whose text has no value of a release in it.
type redacted struct {
	text string
	kind error
}

func (r redacted) Error() string { return r.text }

// Unwrap gives what kind of error it is, never the text that was redacted.
func (r redacted) Unwrap() error { return r.kind }

// redact takes the values of a release out of an error.
func redact(err error, rel tenancy.Release) error {
	if err == nil {
		return nil
	}
	return redacted{text: tenancy.Line(tenancy.Redact(err.Error(), rel)), kind: sentinel(err)}
}

// redactText takes the values of a release out of a text.
func redactText(text string, rel tenancy.Release) string {
	return tenancy.Line(tenancy.Redact(text, rel))
}

// sentinel is the known kind of an error, or nil.
func sentinel(err error) error {
	for _, known := range []error{
		tenancy.ErrChartNotFound, tenancy.ErrChartInvalid, tenancy.ErrSetting, tenancy.ErrValues, tenancy.ErrNotOwned, tenancy.ErrRefused, tenancy.ErrIdentity, tenancy.ErrUnavailable, tenancy.ErrTerminating,
	} {
		if errors.Is(err, known) {
			return known
		}
	}
	return nil
}
