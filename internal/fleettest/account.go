package fleettest

import (
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Grant is what an account may do: in one namespace, or, where that is empty, in the whole cluster.
type Grant struct {
	Namespace string
	Rules     []rbacv1.PolicyRule
}

// ServiceAccount makes a service account in a namespace, gives it the rules in the whole cluster, and returns a token
// for it that is valid for an hour.
func (c *Cluster) ServiceAccount(t testing.TB, namespace string, rules ...rbacv1.PolicyRule) string {
	t.Helper()
	if len(rules) == 0 {
		return c.Account(t, namespace)
	}
	return c.Account(t, namespace, Grant{Rules: rules})
}

// Account makes a service account in a namespace, gives it what is granted and nothing else, and returns a token for it that is
// valid for an hour.
func (c *Cluster) Account(t testing.TB, namespace string, grants ...Grant) string {
	t.Helper()
	client, name := c.Admin(t), Name(t)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := client.CoreV1().ServiceAccounts(namespace).Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	subjects := []rbacv1.Subject{{Kind: "ServiceAccount", Name: name, Namespace: namespace}}
	for _, grant := range grants {
		c.grant(t, Name(t), grant, subjects)
	}
	hour := int64(3600)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &hour}}
	granted, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), name, request, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return granted.Status.Token
}

func (c *Cluster) grant(t testing.TB, name string, grant Grant, subjects []rbacv1.Subject) {
	t.Helper()
	rbac, meta := c.Admin(t).RbacV1(), metav1.ObjectMeta{Name: name}
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name}
	var err error
	if ns := grant.Namespace; ns != "" {
		ref.Kind = "Role"
		if _, err = rbac.Roles(ns).Create(t.Context(), &rbacv1.Role{ObjectMeta: meta, Rules: grant.Rules}, metav1.CreateOptions{}); err == nil {
			_, err = rbac.RoleBindings(ns).Create(t.Context(), &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
		}
	} else if _, err = rbac.ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{ObjectMeta: meta, Rules: grant.Rules}, metav1.CreateOptions{}); err == nil {
		_, err = rbac.ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := cleanupContext(t)
		defer cancel()
		if ns := grant.Namespace; ns != "" {
			_ = rbac.RoleBindings(ns).Delete(ctx, name, metav1.DeleteOptions{})
			_ = rbac.Roles(ns).Delete(ctx, name, metav1.DeleteOptions{})
			return
		}
		_ = rbac.ClusterRoleBindings().Delete(ctx, name, metav1.DeleteOptions{})
		_ = rbac.ClusterRoles().Delete(ctx, name, metav1.DeleteOptions{})
	})
}

// TokenKubeconfig is the text of a kubeconfig with one context that goes through the proxy with a token.
func (p *Proxy) TokenKubeconfig(t testing.TB, token string) string {
	t.Helper()
	return KubeconfigText(p.cluster.Name, p.Host(), p.cluster.CA(t), map[string]string{"token": token})
}
