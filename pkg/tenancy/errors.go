package tenancy

import (
	"errors"
	"strings"
	"unicode"
)

// What can be wrong with a release. Packages that meet Helm or the API server
// wrap these, so that nobody else has to match texts.
var (
	// ErrChartNotFound: no chart of that name, or none of that version.
	ErrChartNotFound = errors.New("chart not found")
	// ErrChartInvalid: the chart is there and cannot be read.
	ErrChartInvalid = errors.New("chart is not valid")
	// ErrChartPending: the chart is being fetched for the first time.
	ErrChartPending = errors.New("chart is being fetched")
	// ErrSource: the source of the chart cannot be reached or refuses.
	ErrSource = errors.New("chart source is not available")
	// ErrSetting: a setting cannot be set as it is written.
	ErrSetting = errors.New("setting is not valid")
	// ErrValues: the values do not fit the chart.
	ErrValues = errors.New("values do not fit the chart")
	// ErrUnavailable: the API server cannot be reached, or not now.
	ErrUnavailable = errors.New("the API server is not available")
	// ErrReference: valuesFrom names what is not there, or what cannot be read.
	ErrReference = errors.New("valuesFrom cannot be read")
	// ErrReferencePending: what valuesFrom names is not known yet.
	ErrReferencePending = errors.New("valuesFrom is being read")
	// ErrTerminating: the namespace is being deleted, and is made again when it is gone.
	ErrTerminating = errors.New("the namespace is being deleted")
	// ErrDependency: dependsOn names nobody, or goes in a circle.
	ErrDependency = errors.New("dependsOn cannot be followed")
	// ErrPlan: the charts of the tenancy cannot be told from its plan and its params.
	ErrPlan = errors.New("plan cannot be used")
	// ErrRefused: the chart contains what a chart of this tenancy may not.
	ErrRefused = errors.New("is not allowed")
	// ErrIdentity: the ServiceAccount as which the release is applied does not exist.
	ErrIdentity = errors.New("has no ServiceAccount to run as")
	// ErrTampered: the record of a revision was written by somebody else.
	ErrTampered = errors.New("is not as the operator wrote it")
	// ErrNotOwned: the release, or an object of it, belongs to somebody else.
	ErrNotOwned = errors.New("is not managed by this Controller")
)

// Pending says that nothing is wrong with a release: what it needs is being
// fetched, and until then nothing is done to it.
func Pending(err error) bool {
	return errors.Is(err, ErrChartPending) || errors.Is(err, ErrReferencePending)
}

// Passing says that an error is no fault of a release's and will pass.
func Passing(err error) bool { return errors.Is(err, ErrUnavailable) || errors.Is(err, ErrTerminating) }

// maxMessage is how long a message for people may be, in bytes.
const maxMessage = 1024

// Message is an error as one line for people: at most 1 KiB, no control
// characters, cut at the end where it is longer.
func Message(err error) string {
	if err == nil {
		return ""
	}
	return Line(err.Error())
}

// Line makes one line for people out of a text, as Message does.
func Line(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= maxMessage {
		return s
	}
	const ellipsis = "…"
	cut := maxMessage - len(ellipsis)
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + ellipsis
}
