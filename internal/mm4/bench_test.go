package mm4_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/mm4"
)

// BenchmarkForward sends messages of 100 kB from our client to our server over four connections of loopback.
func BenchmarkForward(b *testing.B) {
	picture := bytes.Repeat([]byte{0xFF, 0xD8, 0, 13, 10}, 20_000)
	for _, noBinary := range []bool{false, true} {
		b.Run(map[bool]string{false: "BDAT", true: "base64"}[noBinary], func(b *testing.B) {
			in := &inbox{}
			server, err := mm4.NewServer(mm4.ServerConfig{Name: "us.example", Domains: []string{"us.example"}, Networks: loopback, Handler: in.handler()})
			if err != nil {
				b.Fatal(err)
			}
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			client, err := mm4.NewClient(mm4.ClientConfig{Address: listener.Addr().String(), Name: "hub.example", NoBinary: noBinary})
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error, 2)
			go func() { ended <- server.Serve(ctx, listener) }()
			go func() { ended <- client.Run(ctx) }()
			defer func() { cancel(); <-ended; <-ended }()
			for client.Places() == 0 {
				time.Sleep(time.Millisecond)
			}
			mail := forward("1", "+14155550124")
			mail.To = []mm4.Address{mm4.PLMN("+14155550124", "us.example")}
			mail.Message.(*mm4.Forward).Parts = []mm4.Part{{Type: "image/jpeg", Size: int64(len(picture)), Open: opened(picture)}}
			next := make(chan error, client.Places())
			for range cap(next) {
				next <- nil
			}
			b.SetBytes(int64(len(picture)))
			b.ReportAllocs()
			for b.Loop() {
				if err := <-next; err != nil {
					b.Fatal(err)
				}
				client.Submit(mail, func(out mm4.Outcome) {
					if out.Status != mm4.Accepted {
						next <- fmt.Errorf("%+v", out)
						return
					}
					next <- nil
				})
			}
			for range cap(next) {
				<-next
			}
		})
	}
}
