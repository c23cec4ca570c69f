package localcluster

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// The components of a cluster, as PID and Restart name them.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
	KWOK              = "kwok"
)

// state is what the binary tells of the cluster.
type state struct {
	Kubeconfig string `json:"kubeconfig"`
	Dir        string `json:"dir"`
	Components []struct {
		Name string `json:"name"`
		PID  int    `json:"pid"`
		Up   bool   `json:"up"`
	} `json:"components"`
}

// PID returns the process of a component. It is an error if the component has
// ended, as far as the supervisor has noticed.
func (c *Cluster) PID(component string) (int, error) {
	path := filepath.Join(c.state.Dir, "cluster.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("find the process of %s: %w", component, err)
	}
	var now state
	if err := json.Unmarshal(text, &now); err != nil {
		return 0, fmt.Errorf("read %s: %w", path, err)
	}
	for _, part := range now.Components {
		switch {
		case part.Name != component:
			continue
		case !part.Up:
			return 0, fmt.Errorf("component %s has ended: Restart starts it again", component)
		}
		return part.PID, nil
	}
	return 0, fmt.Errorf("the cluster has no component %q: see the constants of package localcluster", component)
}
