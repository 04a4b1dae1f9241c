package ssa

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// immutableWords are how API servers, and the authors of validation rules, say that a field cannot be changed.
var immutableWords = regexp.MustCompile(`(?i)immutable|may not be (changed|updated)|cannot be (changed|updated)|can(no|')t (change|be modified)|updates to \w+ spec for fields other than|updates may not change|may not change fields|updates to \w+ are forbidden|unchangeable`)

// immutable tells a change that is not allowed from a body that is wrong: the API server says so, and would accept the same
// body for an object that is not there. Both are asked for, because the price of a mistake is an object deleted in vain.
func (s *Server) immutable(ctx context.Context, w Wanted, refused error) error {
	message := refusal(refused)
	if !apierrors.IsInvalid(refused) || !immutableWords.MatchString(message) {
		return refused
	}
	body, err := json.Marshal(w.Object.Object)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	_, err = answer(s.rest.Post().AbsPath(w.Resource.path(w.Key.Namespace, "")).Param("dryRun", metav1.DryRunAll).
		Param("fieldManager", s.Manager).SetHeader("Content-Type", "application/json").Body(body).Do(ctx))
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return refused
	}
	return &ImmutableError{Message: message}
}

// refusal is what an API server says against a body, without the name of the object.
func refusal(err error) string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil || len(status.Status().Details.Causes) == 0 {
		return err.Error()
	}
	var texts []string
	for _, c := range status.Status().Details.Causes {
		text := strings.TrimSpace(valueShown.ReplaceAllString(c.Message, ""))
		if c.Field != "" && c.Field != "<nil>" {
			text = c.Field + ": " + text
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}

// valueShown is how an API server repeats a value, which for a whole template is pages, and may be a secret.
var valueShown = regexp.MustCompile(`(?s)^(Invalid value|Forbidden|Unsupported value|Required value): (.*: )?`)

// Replaceable is the body for the second half of a replacement: an object that is not there.
func (w Wanted) Replaceable() Wanted {
	w.Live, w.Absent, w.Prior, w.Record = nil, true, nil, nil
	return w
}
