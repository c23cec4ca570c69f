package main

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"strings"

	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	nodeheartbeat "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
)

// Stages tell KWOK how objects change over time. Those that its module offers
// as a package are taken from there.
//
//go:embed stages
var stageFiles embed.FS

// kwokOptions lets KWOK start thousands of pods at a time. What is not named
// here has no default: a configuration without it is refused.
const kwokOptions = `apiVersion: config.kwok.x-k8s.io/v1alpha1
kind: KwokConfiguration
options:
  podPlayStageParallelism: 32
  nodePlayStageParallelism: 4
  nodeLeaseParallelism: 4
  podsOnNodeSyncParallelism: 4
`

// writeStages writes the configuration of KWOK for the given kind of pods.
//
// Nodes report by their status instead of by leases: a lease would keep a
// restarted KWOK from its nodes until the lease of the old one has expired.
func writeStages(d directory, pods string) error {
	documents := []string{kwokOptions, nodefast.DefaultNodeInit, nodeheartbeat.DefaultNodeHeartbeat}
	folders := []string{"always"}
	switch pods {
	case "fast":
		documents = append(documents, podfast.DefaultPodReady, podfast.DefaultPodComplete, podfast.DefaultPodDelete)
	default:
		folders = append(folders, pods)
	}
	for _, folder := range folders {
		paths, err := fs.Glob(stageFiles, "stages/"+folder+"/*.yaml")
		if err != nil {
			return fmt.Errorf("list stages %s: %w", folder, err)
		}
		for _, path := range paths {
			text, err := stageFiles.ReadFile(path)
			if err != nil {
				return fmt.Errorf("read stage %s: %w", path, err)
			}
			documents = append(documents, string(text))
		}
	}
	if err := os.WriteFile(d.path("kwok.yaml"), []byte(strings.Join(documents, "\n---\n")), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", d.path("kwok.yaml"), err)
	}
	return nil
}
