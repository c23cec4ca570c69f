package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// request is a kind of request, with the kind of answer it got.
type request struct {
	Verb, Resource string
	Failed         int // the status code; 0 for success
}

// String names a request as in "get secrets" or "get namespaces (404)".
func (r request) String() string {
	text := r.Verb + " " + r.Resource
	if r.Failed != 0 {
		text += fmt.Sprintf(" (%d)", r.Failed)
	}
	return text
}

// requests counts requests by kind.
type requests map[request]int

// count sums up those that keep says yes to.
func (r requests) count(keep func(request) bool) int {
	n := 0
	for kind, times := range r {
		if keep(kind) {
			n += times
		}
	}
	return n
}

func (r requests) total() int { return r.count(func(request) bool { return true }) }

// sorted lists the kinds, the most frequent first.
func (r requests) sorted() []request {
	var out []request
	for kind := range r {
		out = append(out, kind)
	}
	slices.SortFunc(out, func(a, b request) int {
		return cmp.Or(cmp.Compare(r[b], r[a]), cmp.Compare(a.String(), b.String()))
	})
	return out
}

// audit reads the audit log of the API server.
type audit struct {
	path   string
	offset int64
}

// statusWrites are requests that write the status of the Controller.
const statusWrites = "controllers/status"

// take counts the requests since the last call, and tells when those that wrote the
// status of the Controller, and were not refused, had arrived.
func (a *audit) take() (requests, []time.Time, error) {
	file, err := os.Open(a.path)
	if errors.Is(err, os.ErrNotExist) {
		return requests{}, nil, nil // the measured client has asked nothing yet
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the audit log: %w", err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.NewSectionReader(file, a.offset, 1<<40))
	if err != nil {
		return nil, nil, fmt.Errorf("read the audit log: %w", err)
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1] // the last line may not be complete yet
	a.offset += int64(len(text))
	return parseAudit(text)
}

// parseAudit counts the requests of an audit log: a watch when it begins, all
// others when they are answered. It tells when the status of the Controller was written.
func parseAudit(text []byte) (requests, []time.Time, error) {
	out := requests{}
	var written []time.Time
	for line := range bytes.Lines(text) {
		var event struct {
			Stage, Verb, RequestURI string
			ObjectRef               struct{ Resource, Subresource string }
			ResponseStatus          struct{ Code int }

			RequestReceivedTimestamp time.Time
		}
		if err := json.Unmarshal(line, &event); err != nil {
			return nil, nil, fmt.Errorf("read the audit log: %w", err)
		}
		if (event.Verb == "watch") != (event.Stage == "ResponseStarted") {
			continue
		}
		kind := request{Verb: event.Verb, Resource: event.ObjectRef.Resource}
		switch {
		case kind.Resource == "":
			kind.Resource, _, _ = strings.Cut(event.RequestURI, "?") // discovery and the like
		case event.ObjectRef.Subresource != "":
			kind.Resource += "/" + event.ObjectRef.Subresource
		}
		if event.ResponseStatus.Code >= 400 {
			kind.Failed = event.ResponseStatus.Code
		}
		out[kind]++
		if kind.Resource == statusWrites && kind.Failed == 0 {
			written = append(written, event.RequestReceivedTimestamp)
		}
	}
	return out, written, nil
}
