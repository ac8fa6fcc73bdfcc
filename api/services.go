package api

import (
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/metadata"
)

type serviceView struct {
	Name      string `json:"name"`
	URL       string `json:"url"`
	CreatedAt stamp  `json:"created_at"`
	UpdatedAt stamp  `json:"updated_at"`
}

func viewService(s metadata.Service) serviceView {
	return serviceView{Name: s.Name, URL: s.URL, CreatedAt: stamp(s.CreatedMs), UpdatedAt: stamp(max(s.CreatedMs, s.UpdatedMs))}
}

var services = &named[metadata.Service]{
	kind: "service", path: "/v1/services/",
	read: func(o *object, name string) metadata.Service {
		return metadata.Service{Name: name, URL: o.text("url", true)}
	},
	head: func(r metadata.Service) (string, uint64) { return r.Name, r.Revision },
	view: func(r metadata.Service, _ []definitions.Problem) any { return viewService(r) },
	differ: func(stored, posted metadata.Service) []difference {
		return []difference{{"url", stored.URL, posted.URL}}
	},
	all:    func(s *metadata.Snapshot) []metadata.Service { return s.Records.Services },
	put:    (*metadata.Cache).PutService,
	update: (*metadata.Cache).UpdateService,
	remove: (*metadata.Cache).DeleteService,
}
