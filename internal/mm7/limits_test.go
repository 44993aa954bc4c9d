package mm7

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// endless is a body that never ends, and counts what is taken of it.
type endless struct {
	head  io.Reader
	fill  byte
	taken int64
}

func (e *endless) Read(p []byte) (int, error) {
	n, err := e.head.Read(p)
	if err != nil {
		for n = range p {
			p[n] = e.fill
		}
		n = len(p)
	}
	e.taken += int64(n)
	return n, nil
}

// However long a peer sends, no more is taken than the limits say.
func TestLimits(t *testing.T) {
	limits := Limits{SOAP: 10_000, Total: 100_000, Part: 50_000}
	soap := string(Dialect{}.EncodeSOAP(Envelope{TransactionID: "t", Message: &DeliverReq{Sender: Address{Value: "1"}}}))
	const related = "multipart/related; boundary=b"
	for _, c := range []struct {
		name, kind, head string
		fill             byte
		most             int64
	}{
		{"SOAP alone", "text/xml", "<a>", ' ', 10_001},
		{"preamble", related, "", 'x', 100_001},
		{"SOAP part", related, "--b\r\n\r\n", ' ', 100_001},
		{"header", related, "--b\r\nA: ", 'x', 100_001},
		{"part", related, "--b\r\n\r\n" + soap + "\r\n--b\r\n\r\n", 0, 100_001},
		{"line ends", related, "--b\r\n\r\n" + soap + "\r\n--b\r\n\r\n", '\n', 100_001},
		{"epilogue", related, "--b\r\n\r\n" + soap + "\r\n--b--\r\n", 'x', 100_001},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := &endless{head: strings.NewReader(c.head), fill: c.fill}
			in, err := Decode(c.kind, body, limits)
			if err == nil {
				err = in.Each(func(p *ReceivedPart) error {
					n, err := io.Copy(io.Discard, p)
					if n > limits.Part {
						t.Errorf("%d octets of a part", n)
					}
					return err
				})
			}
			var undecodable *DecodeError
			if !errors.As(err, &undecodable) {
				t.Errorf("%v", err)
			}
			if body.taken > c.most+bufferSize {
				t.Errorf("%d octets were taken; %d are allowed", body.taken, c.most)
			}
		})
	}
}

// A connection that breaks is no mistake of the document.
func TestBrokenStream(t *testing.T) {
	broken := errors.New("connection reset")
	_, err := Decode("text/xml", io.MultiReader(strings.NewReader("<e:Env"), errorReader{broken}), Limits{})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	soap := string(Dialect{}.EncodeSOAP(Envelope{TransactionID: "t", Message: &DeliverReq{Sender: Address{Value: "1"}}}))
	body := io.MultiReader(strings.NewReader("--b\r\n\r\n"+soap+"\r\n--b\r\n\r\nabc"), errorReader{broken})
	in, err := Decode("multipart/related; boundary=b", body, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := filesOf(in); !errors.Is(err, broken) {
			t.Error(err)
		}
	}
}

type errorReader struct{ err error }

func (e errorReader) Read([]byte) (int, error) { return 0, e.err }
