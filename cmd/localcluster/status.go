package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
)

// status prints a table of the cluster's processes.
func status(ctx context.Context, args []string) error {
	d, _, err := parseDir("status", args)
	if err != nil {
		return err
	}
	var st state
	if err := d.ask(ctx, http.MethodGet, "/state", nil, &st); err != nil {
		return fmt.Errorf("ask for the cluster in %s: %w", d, err)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "COMPONENT\tPID\tRSS\tSTATUS")
	fmt.Fprintf(table, "supervisor\t%d\t%s\tup\n", st.PID, resident(st.PID))
	for _, c := range st.Components {
		if !c.Up {
			fmt.Fprintf(table, "%s\t%d\t-\tdown\n", c.Name, c.PID)
			continue
		}
		fmt.Fprintf(table, "%s\t%d\t%s\tup\n", c.Name, c.PID, resident(c.PID))
	}
	return table.Flush()
}

// resident is the memory a process occupies, or "-" when it has just ended.
func resident(pid int) string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return "-"
	}
	pages, err := strconv.Atoi(fields[1])
	if err != nil {
		return "-"
	}
	return strconv.Itoa(pages*os.Getpagesize()>>20) + " MiB"
}

// restart starts a component again and returns when it is ready.
func restart(ctx context.Context, args []string) error {
	d, rest, err := parseDir("restart", args)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return fmt.Errorf("restart needs the name of a component: see localcluster help")
	}
	name, extra := rest[0], rest[1:]
	if len(extra) > 0 && extra[0] == "--" {
		extra = extra[1:]
	}
	if err := d.ask(ctx, http.MethodPost, "/restart/"+name, extra, nil); err != nil {
		return fmt.Errorf("restart %s in %s: %w", name, d, err)
	}
	return nil
}
