package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
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

// call makes a call, again when it was told that it came too soon.
func (c *client) call(ctx context.Context, method, path string, body, into any, authorize func(*http.Request)) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	for {
		wait, err := c.try(ctx, method, path, encoded, into, authorize)
		if wait == 0 {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// try makes a call once. wait is how long the server says to wait before the next try, when it does.
func (c *client) try(ctx context.Context, method, path string, encoded []byte, into any, authorize func(*http.Request)) (wait time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(encoded))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	authorize(r)
	response, err := c.http.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 8<<20))
	if err != nil {
		return 0, err
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 && response.StatusCode == http.StatusTooManyRequests {
		return time.Duration(seconds) * time.Second, nil
	}
	if response.StatusCode/100 != 2 {
		return 0, fmt.Errorf("%s %s: %s: %s", method, path, response.Status, bytes.TrimSpace(answer))
	}
	if into == nil {
		return 0, nil
	}
	return 0, json.Unmarshal(answer, into)
}
