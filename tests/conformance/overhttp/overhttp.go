// Package overhttp runs tests once per HTTP version.
package overhttp

import (
	"crypto/tls"
	"net/http"
	"testing"
)

// Protocol is the HTTP version of a client.
type Protocol string

// The versions every server speaks.
const (
	HTTP1 Protocol = "HTTP/1.1"
	HTTP2 Protocol = "HTTP/2.0"
)

// Both runs a test once per HTTP version.
func Both(t *testing.T, test func(t *testing.T, protocol Protocol)) {
	t.Helper()
	for _, protocol := range []Protocol{HTTP1, HTTP2} {
		t.Run(string(protocol), func(t *testing.T) { test(t, protocol) })
	}
}

// Transport sends requests over one HTTP version; another one in an answer fails the test.
func Transport(t testing.TB, protocol Protocol, config *tls.Config) http.RoundTripper {
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	if protocol == HTTP1 {
		transport.ForceAttemptHTTP2 = false
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	t.Cleanup(transport.CloseIdleConnections)
	return expect{transport, protocol, t}
}

// expect fails the test when an answer came over another HTTP version than asked.
type expect struct {
	transport *http.Transport
	protocol  Protocol
	t         testing.TB
}

func (e expect) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := e.transport.RoundTrip(request)
	if err == nil && response.Proto != string(e.protocol) {
		e.t.Errorf("answer over %s instead of %s", response.Proto, e.protocol)
	}
	return response, err
}
