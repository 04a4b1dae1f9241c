package endpoint

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/pprof"
)

// Admin serves the knobs of a fleet at /knobs, to be read by GET and changed by PATCH with those that change, and the profiles of this process at
// /debug/pprof/.
func Admin(faults *Faults, server *Server) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /knobs", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, encoded(faults.Knobs()))
	})
	mux.HandleFunc("PATCH /knobs", func(w http.ResponseWriter, req *http.Request) {
		text, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 1<<20))
		if err != nil {
			write(w, http.StatusBadRequest, problem(err))
			return
		}
		knobs, err := faults.Set(text)
		if err != nil {
			write(w, http.StatusBadRequest, problem(err))
			return
		}
		// What was asked for ends with the request; ports stay open.
		if err := server.Adjust(req.Context()); err != nil {
			write(w, http.StatusInternalServerError, problem(err))
			return
		}
		write(w, http.StatusOK, encoded(knobs))
	})
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	return mux
}

func problem(err error) []byte {
	text, merr := json.Marshal(map[string]string{"error": err.Error()})
	if merr != nil {
		return []byte("{}")
	}
	return text
}
