package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// client speaks to a server's APIs as its customer and its operator.
type client struct {
	http       *http.Client
	url        string
	authID     string
	authToken  string
	adminToken string
}

// account calls the account API below the account's own path.
func (c *client) account(ctx context.Context, method, path string, body, into any) error {
	return c.call(ctx, method, "/v1/Account/"+c.authID+path, body, into, func(r *http.Request) { r.SetBasicAuth(c.authID, c.authToken) })
}

// operator calls the operator API.
func (c *client) operator(ctx context.Context, method, path string, body, into any) error {
	return c.call(ctx, method, "/admin/v1"+path, body, into, func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+c.adminToken)
	})
}

func (c *client) call(ctx context.Context, method, path string, body, into any, authorize func(*http.Request)) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	authorize(r)
	response, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 8<<20))
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, bytes.TrimSpace(answer))
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}
