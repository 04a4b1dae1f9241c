package endpoint

import (
	"encoding/json"
	"net/http"
	"runtime"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	versioninfo "k8s.io/apimachinery/pkg/version"

	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/apiserver"
)

var version = encoded(versioninfo.Info{
	Major: "1", Minor: apiserver.Minor, EmulationMajor: "1", EmulationMinor: apiserver.Minor,
	GitVersion: apiserver.Version, GitCommit: "unknown", GitTreeState: "archive",
	GoVersion: runtime.Version(), Compiler: runtime.Compiler, Platform: runtime.GOOS + "/" + runtime.GOARCH,
})

var unauthorized = encoded(status(http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "Unauthorized"))

func status(code int32, reason metav1.StatusReason, message string) metav1.Status {
	return metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure, Code: code, Reason: reason, Message: message,
	}
}

// fail answers as a real API server does that is overloaded, as its priority and fairness filter, or broken.
func fail(w http.ResponseWriter, code int) {
	switch code {
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "Too many requests, please try again later.", code)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
		write(w, code, encoded(status(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, "the server is currently unable to handle the request")))
	default:
		write(w, code, encoded(status(http.StatusInternalServerError, metav1.StatusReasonInternalError, "Internal error occurred: simulated")))
	}
}

func write(w http.ResponseWriter, code int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// Whoever does not read it has gone.
	_, _ = w.Write(body)
}

func encoded(value any) []byte {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		// Only plain structures come here, which always encode.
		panic(err)
	}
	return text
}
