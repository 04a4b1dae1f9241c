package apiserver

import (
	"context"
	"net/http"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	auditinternal "k8s.io/apiserver/pkg/apis/audit"
	"k8s.io/apiserver/pkg/audit"
	genericfilters "k8s.io/apiserver/pkg/endpoints/filters"
	"k8s.io/apiserver/pkg/endpoints/request"
	genericapiserver "k8s.io/apiserver/pkg/server"

	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/store"
)

// chain is what is left of the real API server's filters: nobody is authenticated or audited here, and nobody has to queue.
func (s *Server) chain(builtIn http.Handler) http.Handler {
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		c, err := store.From(req.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if custom := s.definitions.handler(c, req); custom != nil {
			custom.ServeHTTP(w, req)
			return
		}
		builtIn.ServeHTTP(w, req)
	})
	handler = genericfilters.WithWarningRecorder(handler)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		info, err := requestInfo.NewRequestInfo(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if seen, ok := req.Context().Value(seenKey{}).(*Seen); ok {
			seen.Info = info
		}
		ctx := audit.WithAuditContext(request.WithUser(request.WithRequestInfo(req.Context(), info), admin))
		// Handlers want to be told that nothing is audited.
		if err := audit.AuditContextFrom(ctx).Init(audit.RequestAuditConfig{Level: auditinternal.LevelNone}, nil); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		handler.ServeHTTP(w, req.WithContext(ctx))
	})
}

var requestInfo = genericapiserver.NewRequestInfoResolver(&genericapiserver.Config{
	LegacyAPIGroupPrefixes: sets.NewString(genericapiserver.DefaultLegacyAPIPrefix),
})

// Seen is what became known of a request while it was served.
type Seen struct {
	// Info is what the request is for; nil if it was not served.
	Info *request.RequestInfo
}

type seenKey struct{}

// Watched returns a context for a request, and what will become known of it.
func Watched(ctx context.Context) (context.Context, *Seen) {
	seen := &Seen{}
	return context.WithValue(ctx, seenKey{}, seen), seen
}

// Look finds out what a request is for that is not served.
func (s *Seen) Look(req *http.Request) {
	if info, err := requestInfo.NewRequestInfo(req); err == nil {
		s.Info = info
	}
}

func resourceOf(info *request.RequestInfo) schema.GroupResource {
	return schema.GroupResource{Group: info.APIGroup, Resource: info.Resource}
}
