package release

import (
	"bytes"
	"sync"
	"time"

	"helm.sh/helm/v3/pkg/postrender"
)

// The stages of rendering that WithOnRender tells of.
const (
	// StageChart is until chart and values are known to be good: the chart is read, its
	// dependencies are looked for, and the values are checked against its schema.
	StageChart = "chart"
	// StageTemplates is from when Helm's engine begins until its manifests are sorted.
	// What templates look up in the cluster is waited for in it.
	StageTemplates = "templates"
)

// WithOnRender sets what is called after each stage of rendering that went well, in
// installs and upgrades. It must not block.
func WithOnRender(tell func(stage string, took time.Duration)) Option {
	return func(c *Client) { c.onRender = tell }
}

// rendering measures how long Helm's engine takes in one operation: Helm asks for the
// connection right before it, and for the post-renderer right after it.
type rendering struct {
	tell func(stage string, took time.Duration)

	mu    sync.Mutex
	began time.Time
}

// begin notes that what comes next may be the engine; the last one counts.
func (r *rendering) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began = time.Now()
}

// Run implements postrender.PostRenderer. It changes nothing.
func (r *rendering) Run(manifests *bytes.Buffer) (*bytes.Buffer, error) {
	r.mu.Lock()
	began := r.began
	r.mu.Unlock()
	if !began.IsZero() {
		r.tell(StageTemplates, time.Since(began))
	}
	return manifests, nil
}

var _ postrender.PostRenderer = (*rendering)(nil)
