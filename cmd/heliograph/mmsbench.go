package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/heliograph/heliograph/internal/mm7/mm7test"
)

// pictureSite serves one picture, as the customer's own server does.
type pictureSite struct {
	url     string
	content []byte
	asked   atomic.Int64
	folder  string // of the server's data, where it is ours
}

// startSite makes a picture of about that many octets and serves it until undo is called.
func startSite(octets int) (site *pictureSite, undo func(), err error) {
	site = &pictureSite{}
	if site.content, err = noisyPicture(octets); err != nil {
		return nil, nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	server := &http.Server{Handler: site, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener) // until it is closed
	}()
	site.url = "http://" + listener.Addr().String() + "/picture.jpg"
	return site, func() { _ = server.Close(); <-ended }, nil
}

// ServeHTTP serves the picture.
func (s *pictureSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	w.Header().Set("Content-Type", "image/jpeg")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.content))
}

// noisyPicture makes a JPEG that is at least as large, in pixels like those of a camera.
func noisyPicture(octets int) ([]byte, error) {
	random := rand.New(rand.NewPCG(1, 2))
	for side := 128; ; side += side / 8 {
		img := image.NewRGBA(image.Rect(0, 0, side*4/3, side))
		for y := range side {
			for x := range side * 4 / 3 {
				grain := random.IntN(24)
				img.SetRGBA(x, y, color.RGBA{byte(x*200/side + grain), byte(y*200/side + grain), byte(100 + grain), 255})
			}
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 92}); err != nil || b.Len() >= octets {
			return b.Bytes(), err
		}
	}
}

// startOwnMMS starts a server of our own with a pretend MMSC, and points the client at it.
func (c *benchCommand) startOwnMMS(ctx context.Context, own *ownServer, folder string, target *client, log io.Writer) error {
	mmsc, err := mm7test.Listen(mm7test.Config{Senders: 16})
	if err != nil {
		return err
	}
	own.undo = append(own.undo, background(ctx, mmsc.Run))
	carrier := fmt.Sprintf(`{name: main, protocol: mm7, url: %q, vasp_id: heliograph, vas_id: bench, window: %d, max_bytes: %d}`, mmsc.URL(), c.Window, c.MMSLimit)
	if own.server, err = startOwnServer(ctx, folder, carrier, target, log); err != nil {
		return err
	}
	mmsc.Set(func(cfg *mm7test.Config) { cfg.ReportURL = own.server.url + carriersPath + "main/mm7" })
	c.folder = filepath.Join(folder, "data")
	return nil
}

// mmsResult is what a load of MMS shows besides what texts do.
type mmsResult struct {
	Picture    int     `json:"picture_octets"`
	Fetched    int64   `json:"fetched"`
	Stored     int     `json:"stored_files"`  // -1: on a server that is not ours
	Adapted    int     `json:"adapted_files"` // likewise
	ResidentMB float64 `json:"server_resident_peak_mb"`
}

func (r *mmsResult) print(out io.Writer) {
	fmt.Fprintf(out, "picture           %d octets, fetched %d times", r.Picture, r.Fetched)
	if r.Stored >= 0 {
		fmt.Fprintf(out, ", stored in %d files, adapted in %d", r.Stored, r.Adapted)
	}
	fmt.Fprintf(out, "\nserver memory     %.0f MB at most\n", r.ResidentMB)
}

// shown gives what a load of MMS shows, of a server that is ours in full.
func (s *pictureSite) shown(peak float64) (*mmsResult, error) {
	r := &mmsResult{Picture: len(s.content), Fetched: s.asked.Load(), Stored: -1, Adapted: -1, ResidentMB: peak / (1 << 20)}
	if s.folder == "" {
		return r, nil
	}
	stored, err := filepath.Glob(filepath.Join(s.folder, mediaFolder, "[0-9a-f][0-9a-f]", "*"))
	adapted, adaptedErr := filepath.Glob(filepath.Join(s.folder, mediaFolder, "adapted", "*", "*", "*"))
	r.Stored, r.Adapted = len(stored), len(adapted)
	return r, errors.Join(err, adaptedErr)
}

// watchMemory looks at the server's memory until ctx ends, and gives the most of it.
func (c *client) watchMemory(ctx context.Context) (most float64) {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		if used, err := c.usage(ctx); err == nil {
			most = max(most, used.resident)
		}
		select {
		case <-ctx.Done():
			return most
		case <-ticker.C:
		}
	}
}

// attachPicture makes the load one of MMS with a picture. The function it gives ends that, and completes the result.
func (l *load) attachPicture(ctx context.Context, arguments map[string]any) (finish func(*benchResult) error, err error) {
	site, undo, err := startSite(l.MMS)
	if err != nil {
		return nil, err
	}
	site.folder = l.folder
	arguments["type"], arguments["media_urls"] = "mms", []string{site.url}
	watching, stop := context.WithCancel(ctx)
	most := make(chan float64, 1)
	go func() { most <- l.target.watchMemory(watching) }()
	return func(result *benchResult) error {
		defer undo()
		stop()
		shown, err := site.shown(<-most)
		result.MMS = shown
		return err
	}, nil
}
