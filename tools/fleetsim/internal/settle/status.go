package settle

import (
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/apis/apps"
	"k8s.io/kubernetes/pkg/apis/batch"
	"k8s.io/kubernetes/pkg/apis/core"
)

// nodes is how many nodes a DaemonSet finds.
const nodes = 3

func deployment(d *apps.Deployment) {
	if d.Status.ObservedGeneration == d.Generation {
		return
	}
	now, n := metav1.Now(), d.Spec.Replicas
	d.Status = apps.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n,
		Conditions: []apps.DeploymentCondition{
			{Type: apps.DeploymentAvailable, Status: core.ConditionTrue, LastUpdateTime: now, LastTransitionTime: now,
				Reason: "MinimumReplicasAvailable", Message: "Deployment has minimum availability."},
			{Type: apps.DeploymentProgressing, Status: core.ConditionTrue, LastUpdateTime: now, LastTransitionTime: now,
				Reason: "NewReplicaSetAvailable", Message: "The ReplicaSet of the Deployment has successfully progressed."},
		},
	}
}

func statefulSet(s *apps.StatefulSet) {
	if s.Status.ObservedGeneration != nil && *s.Status.ObservedGeneration == s.Generation {
		return
	}
	n, generation := s.Spec.Replicas, s.Generation
	s.Status = apps.StatefulSetStatus{
		ObservedGeneration: &generation, Replicas: n, ReadyReplicas: n, CurrentReplicas: n, UpdatedReplicas: n, AvailableReplicas: n,
		CurrentRevision: s.Name + "-1", UpdateRevision: s.Name + "-1",
	}
}

func daemonSet(d *apps.DaemonSet) {
	if d.Status.ObservedGeneration == d.Generation {
		return
	}
	d.Status = apps.DaemonSetStatus{
		ObservedGeneration: d.Generation, DesiredNumberScheduled: nodes, CurrentNumberScheduled: nodes, UpdatedNumberScheduled: nodes,
		NumberReady: nodes, NumberAvailable: nodes,
	}
}

func replicaSet(r *apps.ReplicaSet) {
	if r.Status.ObservedGeneration == r.Generation {
		return
	}
	n := r.Spec.Replicas
	r.Status = apps.ReplicaSetStatus{ObservedGeneration: r.Generation, Replicas: n, FullyLabeledReplicas: n, ReadyReplicas: n, AvailableReplicas: n}
}

func job(j *batch.Job) {
	if j.Status.CompletionTime != nil || j.Spec.Suspend != nil && *j.Spec.Suspend {
		return
	}
	now, n := metav1.Now(), int32(1)
	if j.Spec.Completions != nil {
		n = *j.Spec.Completions
	}
	ready := int32(0)
	condition := func(kind batch.JobConditionType) batch.JobCondition {
		return batch.JobCondition{Type: kind, Status: core.ConditionTrue, LastProbeTime: now, LastTransitionTime: now, Reason: "CompletionsReached", Message: "Reached expected number of succeeded pods"}
	}
	j.Status = batch.JobStatus{
		StartTime: &now, CompletionTime: &now, Succeeded: n, Ready: &ready, UncountedTerminatedPods: &batch.UncountedTerminatedPods{},
		Conditions: []batch.JobCondition{condition(batch.JobSuccessCriteriaMet), condition(batch.JobComplete)},
	}
}

func pod(p *core.Pod) {
	if p.Status.Phase == core.PodRunning {
		return
	}
	now := metav1.Now()
	p.Status.Phase, p.Status.StartTime = core.PodRunning, &now
	for _, kind := range []core.PodConditionType{core.PodScheduled, core.PodInitialized, core.ContainersReady, core.PodReady} {
		p.Status.Conditions = append(p.Status.Conditions, core.PodCondition{Type: kind, Status: core.ConditionTrue, LastTransitionTime: now})
	}
}

func claim(c *core.PersistentVolumeClaim) {
	if c.Status.Phase == core.ClaimBound {
		return
	}
	c.Status.Phase, c.Status.AccessModes = core.ClaimBound, c.Spec.AccessModes
	c.Status.Capacity = c.Spec.Resources.Requests
}

func definition(d *apiextensions.CustomResourceDefinition) {
	d.Status.AcceptedNames = d.Spec.Names
	now := metav1.Now()
	for _, c := range []apiextensions.CustomResourceDefinitionCondition{
		{Type: apiextensions.NamesAccepted, Reason: "NoConflicts", Message: "no conflicts found"},
		{Type: apiextensions.Established, Reason: "InitialNamesAccepted", Message: "the initial names have been accepted"},
	} {
		if apiextensions.IsCRDConditionTrue(d, c.Type) {
			continue
		}
		c.Status, c.LastTransitionTime = apiextensions.ConditionTrue, now
		apiextensions.SetCRDCondition(d, c)
	}
}
