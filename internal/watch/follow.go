package watch

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
)

// follower reads the lines that are added to a file.
type follower struct {
	path   string
	offset int64
	rest   []byte // the beginning of a line that is not complete yet
}

// more returns the lines that were completed since it was last asked. A file that is not there yet has none; one that
// has become shorter was begun anew.
func (f *follower) more() ([]string, error) {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		f.offset, f.rest = 0, nil
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() < f.offset {
		f.offset, f.rest = 0, nil
	}
	if _, err := file.Seek(f.offset, io.SeekStart); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	f.offset += int64(len(text))
	f.rest = append(f.rest, text...)
	var lines []string
	for {
		line, rest, complete := bytes.Cut(f.rest, []byte("\n"))
		if !complete {
			return lines, nil
		}
		lines, f.rest = append(lines, string(line)), rest
	}
}
