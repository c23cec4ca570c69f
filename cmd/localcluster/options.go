package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const defaultDir = "bin/local"

// options say what kind of cluster to start.
type options struct {
	dir            directory
	nodes          int
	pods           string
	apiserverFlags []string
	untilEOF       bool
}

// parseOptions reads the flags of up and run.
func parseOptions(name string, args []string) (options, error) {
	var o options
	flags := newFlags(name)
	dir := flags.String("dir", defaultDir, "`directory` of the cluster's data, logs and kubeconfig")
	flags.IntVar(&o.nodes, "nodes", 3, "`number` of simulated nodes")
	flags.StringVar(&o.pods, "pods", "fast", "how pods start: `fast` (at once) or general (a few seconds)")
	flags.Func("apiserver-flag", "one more `flag` for kube-apiserver, such as --profiling=false (repeatable)", func(f string) error {
		o.apiserverFlags = append(o.apiserverFlags, f)
		return nil
	})
	if name == "run" {
		flags.BoolVar(&o.untilEOF, "until-eof", false, "stop when standard input ends")
	}
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("%s takes no argument %q: see localcluster help", name, flags.Arg(0))
	case o.nodes < 1:
		return o, fmt.Errorf("--nodes=%d is not possible: give 1 or more", o.nodes)
	case o.pods != "fast" && o.pods != "general":
		return o, fmt.Errorf("--pods=%s is not known: give fast or general", o.pods)
	}
	path, err := filepath.Abs(*dir)
	o.dir = directory(path)
	return o, err
}

// args are the flags that make another run start the same cluster.
func (o options) args() []string {
	args := []string{"--dir", string(o.dir), "--nodes", strconv.Itoa(o.nodes), "--pods", o.pods}
	for _, f := range o.apiserverFlags {
		args = append(args, "--apiserver-flag="+f)
	}
	return args
}

// parseDir reads the --dir flag of a command and returns its other arguments.
func parseDir(name string, args []string) (directory, []string, error) {
	flags := newFlags(name)
	dir := flags.String("dir", defaultDir, "`directory` of the cluster")
	if err := flags.Parse(args); err != nil {
		return "", nil, err
	}
	path, err := filepath.Abs(*dir)
	return directory(path), flags.Args(), err
}

// dirArgument takes a leading --dir and a leading -- off the arguments of
// kubectl; all others are kubectl's own.
func dirArgument(args []string) (dir string, rest []string, given bool) {
	dir, rest = defaultDir, args
	switch {
	case len(rest) > 1 && (rest[0] == "--dir" || rest[0] == "-dir"):
		dir, rest, given = rest[1], rest[2:], true
	case len(rest) > 0 && strings.HasPrefix(rest[0], "--dir="):
		dir, rest, given = strings.TrimPrefix(rest[0], "--dir="), rest[1:], true
	}
	if len(rest) > 0 && rest[0] == "--" {
		rest = rest[1:]
	}
	return dir, rest, given
}

func newFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet("localcluster "+name, flag.ContinueOnError)
	flags.SetOutput(os.Stderr)
	return flags
}
