package localcluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// variable is the environment variable that names the binary.
const variable = "LOCALCLUSTER"

// findBinary returns the binary to run: the given one, that of the
// environment, or the one built in the module of the working directory.
func findBinary(given string) (string, error) {
	path := given
	if path == "" {
		path = os.Getenv(variable)
	}
	if path == "" {
		root, err := moduleRoot()
		if err != nil {
			return "", err
		}
		path = filepath.Join(root, "bin", "localcluster")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find the binary %s: %w", path, err)
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the local cluster has no binary: build it with make bin/localcluster, or name another in %s: %w", variable, err)
	}
	return path, nil
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the module root: %w", err)
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		switch parent := filepath.Dir(dir); {
		case err == nil:
			return dir, nil
		case !errors.Is(err, os.ErrNotExist):
			return "", fmt.Errorf("find the module root: %w", err)
		case parent == dir:
			return "", fmt.Errorf("find bin/localcluster: the working directory is in no Go module: name the binary in %s", variable)
		default:
			dir = parent
		}
	}
}
