package chart

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"sigs.k8s.io/yaml"
)

// maxPiece bounds how much YAML of an index is parsed at a time, in bytes: parsing
// takes thirty times as much memory.
const maxPiece = 8 << 20

// listed is what matters of a chart version in an index. Helm's own type has every
// line of every Chart.yaml, and trips over missing ones.
type listed struct {
	Version string   `json:"version"`
	URLs    []string `json:"urls"`
	Digest  string   `json:"digest"`
}

// indexFile is what matters of an index.
type indexFile struct {
	APIVersion string              `json:"apiVersion"`
	Entries    map[string][]listed `json:"entries"`
}

// parseIndex reads the entries of the wanted charts of an index, YAML or JSON.
func parseIndex(data []byte, wanted map[string]bool) (entries map[string][]listed, err error) {
	defer rescue(&err)
	var file indexFile
	if json.Valid(data) {
		err = json.Unmarshal(data, &file)
	} else {
		file, err = parseYAML(data, wanted)
	}
	switch {
	case errors.Is(err, errAliases), errors.Is(err, errPiece):
		return nil, err
	case err != nil:
		return nil, errors.New("it is not the YAML of an index")
	case file.APIVersion == "":
		return nil, errors.New("it has no apiVersion")
	}
	maps.DeleteFunc(file.Entries, func(name string, _ []listed) bool { return !wanted[name] })
	return file.Entries, nil
}

// parseYAML parses the wanted entries one by one, and what is not an entry as a whole.
func parseYAML(data []byte, wanted map[string]bool) (indexFile, error) {
	rest, pieces := divide(data, wanted)
	var file indexFile
	if err := parsePiece(rest, &file); err != nil {
		return indexFile{}, err
	}
	if file.Entries == nil {
		file.Entries = map[string][]listed{}
	}
	for _, piece := range pieces {
		if err := parsePiece(piece, &file.Entries); err != nil {
			return indexFile{}, err
		}
	}
	return file, nil
}

var errPiece = fmt.Errorf("it has a part of more than %d bytes that can only be read at once", maxPiece)

func parsePiece(piece []byte, into any) error {
	if len(piece) > maxPiece {
		return errPiece
	}
	if err := checkAliases(piece); err != nil {
		return err
	}
	return yaml.Unmarshal(piece, into)
}

// divide takes the wanted entries out of an index written in the block style, as Helm
// does, and leaves the others out. Whatever is written in another way is in rest.
func divide(data []byte, wanted map[string]bool) (rest []byte, pieces [][]byte) {
	inside, indent, begin, end := false, -1, -1, 0
	take := func() {
		if begin >= 0 {
			pieces = append(pieces, data[begin:end])
		}
		begin = -1
	}
	at := 0
	for line := range bytes.Lines(data) {
		from := at
		at += len(line)
		text := bytes.TrimLeft(line, " ")
		depth := len(line) - len(text)
		blank := len(bytes.TrimSpace(text)) == 0 || text[0] == '#'
		switch {
		case depth == 0 && !blank:
			take()
			if inside = strings.TrimSpace(string(line)) == "entries:"; inside {
				indent = -1
				continue
			}
			rest = append(rest, line...)
			continue
		case !inside:
			rest = append(rest, line...)
			continue
		case blank:
		case indent < 0 || depth == indent && text[0] != '-':
			take()
			indent = depth
			if wanted[key(text)] {
				begin = from
			}
		}
		end = at
	}
	take()
	return rest, pieces
}

// key is the name a line of a mapping begins with.
func key(line []byte) string {
	name, _, _ := bytes.Cut(line, []byte(":"))
	return string(bytes.Trim(bytes.TrimSpace(name), `"'`))
}
