package chart

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
)

// bounds of a chart, with the archives inside it.
type bounds struct {
	bytes   int64 // of all files, unpacked
	file    int64 // of one file
	entries int
	depth   int // of archives inside archives
}

func defaultBounds() bounds {
	return bounds{bytes: 100 << 20, file: 5 << 20, entries: 10_000, depth: 3}
}

var (
	errLarge   = errors.New("unpacked, with the archives inside it, it has more bytes than are allowed")
	errEntries = errors.New("with the archives inside it, it has more files than are allowed")
)

// budget is what is left of the bounds. Archives inside an archive spend the same
// one: Helm gives each of them a budget of its own.
type budget struct{ bounds }

// unpack reads the files of a packed chart, after every entry of it and of the
// archives inside it was looked at within the bounds.
func unpack(data []byte, b bounds) (files []*loader.BufferedFile, err error) {
	defer rescue(&err)
	rest := &budget{b}
	if err := rest.archive(data, 0); err != nil {
		return nil, err
	}
	return loader.LoadArchiveFiles(bytes.NewReader(data))
}

// archive looks at every entry of an archive.
func (b *budget) archive(data []byte, depth int) error {
	if depth > b.depth {
		return fmt.Errorf("it has archives inside archives, more than %d deep", b.depth)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("it is not a .tgz archive: %w", err)
	}
	defer func() { _ = unzipped.Close() }()
	entries := tar.NewReader(&spender{from: unzipped, budget: b})
	for {
		header, err := entries.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := b.entry(header, entries, depth); err != nil {
			return err
		}
	}
}

// entry looks at an entry of an archive.
func (b *budget) entry(header *tar.Header, content io.Reader, depth int) error {
	if b.entries--; b.entries < 0 {
		return errEntries
	}
	name := strings.ReplaceAll(header.Name, `\`, "/")
	switch {
	case path.IsAbs(name):
		return fmt.Errorf("%q is an absolute path", name)
	case strings.Contains("/"+name+"/", "/../"):
		return fmt.Errorf("%q leads out of the chart", name)
	}
	switch header.Typeflag {
	case tar.TypeDir, tar.TypeXGlobalHeader:
		return nil
	case tar.TypeReg:
	default:
		return fmt.Errorf("%q is a link or another special file", name)
	}
	for key := range header.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return fmt.Errorf("%q is a sparse file", name)
		}
	}
	if header.Size > b.file {
		return fmt.Errorf("%q is larger than %d bytes", name, b.file)
	}
	if !looksInside(name) {
		return nil // the next header skips it, through the budget
	}
	data, err := io.ReadAll(io.LimitReader(content, b.file))
	if err != nil {
		return err
	}
	return b.inner(name, data, depth)
}

// looksInside says that a file is more than bytes: YAML that is parsed, or an archive
// that is unpacked.
func looksInside(name string) bool {
	switch path.Base(name) {
	case "Chart.yaml", "values.yaml", "requirements.yaml", "Chart.lock", "requirements.lock":
		return true
	}
	return path.Ext(name) == ".tgz" && path.Base(path.Dir(name)) == "charts"
}

// inner looks into a file that is more than bytes.
func (b *budget) inner(name string, data []byte, depth int) error {
	if path.Ext(name) != ".tgz" {
		if err := checkAliases(data); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	if err := b.archive(data, depth+1); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// spender counts what is unpacked, headers and skipped files too.
type spender struct {
	from   io.Reader
	budget *budget
}

func (s *spender) Read(p []byte) (int, error) {
	if s.budget.bytes < 0 {
		return 0, errLarge
	}
	n, err := s.from.Read(p)
	if s.budget.bytes -= int64(n); s.budget.bytes < 0 {
		return n, errLarge
	}
	return n, err
}
