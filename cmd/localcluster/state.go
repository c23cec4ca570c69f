package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// state is what others may know of a running cluster: the line run prints, the
// file cluster.json and the answer to status.
type state struct {
	Kubeconfig string           `json:"kubeconfig"`
	Server     string           `json:"server"`
	Dir        string           `json:"dir"`
	PID        int              `json:"pid"` // of the supervisor
	Components []componentState `json:"components"`
}

type componentState struct {
	Name string `json:"name"`
	PID  int    `json:"pid"` // of the last start
	Log  string `json:"log"`
	Up   bool   `json:"up"`
}

// write replaces cluster.json in one step: readers never see half a file.
func (s state) write(d directory) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", d.state(), err)
	}
	if err := os.WriteFile(d.stateDraft(), append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", d.stateDraft(), err)
	}
	if err := os.Rename(d.stateDraft(), d.state()); err != nil {
		return fmt.Errorf("replace %s: %w", d.state(), err)
	}
	return nil
}
