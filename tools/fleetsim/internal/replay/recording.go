// Package replay records what an API server answers to requests, and repeats the requests on another one to compare its answers.
package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Name is what every recording calls that which must be there once only: its namespace, its set. Replays call it otherwise.
const Name = "fleetsim-00000000"

// Exchange is a request, and what a real API server answered.
type Exchange struct {
	// Note says what the request is to show.
	Note string `json:"note,omitempty"`
	// Eventually is set where the answer came to be what it is, and other answers before it do not count.
	Eventually bool `json:"eventually,omitempty"`

	Method      string `json:"method"`
	Path        string `json:"path"`
	ContentType string `json:"contentType,omitempty"`
	Accept      string `json:"accept,omitempty"`
	Body        Text   `json:"body,omitempty"`

	Status int `json:"status"`
	// Answer is left out of what is not about resources, such as discovery.
	Answer Text `json:"answer,omitempty"`

	answerType string
}

// Text is a text that stands in files as JSON where it is JSON.
type Text string

// MarshalJSON prints the text.
func (t Text) MarshalJSON() ([]byte, error) {
	if json.Valid([]byte(t)) {
		return []byte(t), nil
	}
	return json.Marshal(string(t))
}

// UnmarshalJSON reads the text.
func (t *Text) UnmarshalJSON(text []byte) error {
	var plain string
	if json.Unmarshal(text, &plain) == nil {
		*t = Text(plain)
		return nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return err
	}
	*t = Text(compact.String())
	return nil
}

// Load reads a recording; name stands where the recorded one had Name.
func Load(file, name string) ([]Exchange, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the recording: %w", err)
	}
	var exchanges []Exchange
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), Name, name)), &exchanges); err != nil {
		return nil, fmt.Errorf("read the recording %s: %w", file, err)
	}
	return exchanges, nil
}

// Save writes a recording, an exchange a line, with Name where the exchanges have name, and without what a list has of others.
func Save(file, name string, exchanges []Exchange) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	for i, x := range exchanges {
		x.Answer = own(x.Answer)
		text.WriteString(map[bool]string{true: "[", false: ","}[i == 0])
		if err := encoder.Encode(x); err != nil {
			return fmt.Errorf("encode the recording: %w", err)
		}
	}
	text.WriteString("]\n")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("write the recording: %w", err)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(text.Bytes(), []byte(name), []byte(Name)), 0o644); err != nil {
		return fmt.Errorf("write the recording: %w", err)
	}
	return nil
}

// own leaves the items of a list that replays look at.
func own(answer Text) Text {
	var list map[string]any
	if json.Unmarshal([]byte(answer), &list) != nil {
		return answer
	}
	items, ok := list["items"].([]any)
	if !ok {
		return answer
	}
	list["items"] = slices.DeleteFunc(items, foreign)
	text, err := json.Marshal(list)
	if err != nil {
		return answer
	}
	return Text(text)
}
