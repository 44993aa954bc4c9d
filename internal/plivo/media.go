package plivo

import (
	"cmp"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/mt"
)

// Bounds of an upload: the contract's, and ours around it.
const (
	maxFiles       = 10
	maxFileSize    = 2 << 20
	maxParts       = 100
	maxUpload      = maxFiles*maxFileSize + 1<<20 // octets of the body
	uploadPatience = 5 * time.Minute              // for the whole body
	answerPatience = time.Minute                  // from then on
	maxUploads     = 64                           // at a time
	ownUploads     = 8                            // of one account
)

// maxMMSMedia is how many octets the media of a message may have together.
const maxMMSMedia = 5 << 20

// medium is a file as the contract shows it. The clients do not agree on the name of its address: it is there in both.
type medium struct {
	ContentType string `json:"content_type"`
	FileName    string `json:"file_name"`
	MediaID     string `json:"media_id"`
	Size        int64  `json:"size"`
	UploadTime  string `json:"upload_time"`
	URL         string `json:"url"`
	MediaURL    string `json:"media_url"`
}

// singleMedium is a file as the contract shows it alone.
type singleMedium struct {
	APIID string `json:"api_id"`
	medium
}

// uploaded is what became of a file of an upload. Of one that was refused, what it would have been called by is empty.
type uploaded struct {
	medium
	Status       string `json:"status"`
	StatusCode   int    `json:"status_code"`
	ErrorCode    int    `json:"error_code,omitempty"`
	ErrorMessage string `json:"error_message,omitempty"`
}

// uploads is the answer to an upload.
type uploads struct {
	APIID   string     `json:"api_id"`
	Objects []uploaded `json:"objects"`
}

// messageMedium is a file of a message.
type messageMedium struct {
	ContentType string `json:"content_type"`
	MediaID     string `json:"media_id"`
	MessageUUID string `json:"message_uuid"`
	MediaURL    string `json:"media_url"`
	Size        int64  `json:"size"`
}

// singleMessageMedium is a file of a message alone.
type singleMessageMedium struct {
	APIID string `json:"api_id"`
	messageMedium
}

func showMedium(c *call, m *gateway.Medium) medium {
	address := c.linkTo(m)
	return medium{m.Type, m.Name, m.ID.String(), m.Size, stamp(m.CreatedAt), address, address}
}

// linkTo is an address under which anybody may read the file for a while: below the configured one, or else below that by which the caller has
// reached us.
func (c *call) linkTo(m *gateway.Medium) string {
	base := c.api.public
	if base == "" {
		scheme := "http"
		if c.r.TLS != nil || c.api.trusted(parseAddr(c.r.RemoteAddr)) && foldEqual(c.r.Header.Get("X-Forwarded-Proto"), "https") {
			scheme = "https"
		}
		base = scheme + "://" + c.r.Host
	}
	return base + c.api.media.Link(m)
}

// arrival is a file of an upload: one that came in, or why it is refused.
type arrival struct {
	*media.Incoming // nil: refused
	name, kind      string
	size            int64
	status          int
	why             string
}

func (a *API) uploadMedia(c *call) (ans answer, err error) {
	begun := false
	defer func() {
		if err != nil && (begun || c.r.Header.Get("Expect") == "") { // a client that writes before it reads gets its answer
			_, _ = io.CopyN(io.Discard, c.r.Body, maxUpload)
		}
	}()
	leave, err := a.uploads.enter(c.accountID())
	if err != nil {
		return answer{}, err
	}
	defer leave()
	body, err := c.openUpload()
	if err != nil {
		return answer{}, err
	}
	begun = true
	files, err := a.receiveFiles(body)
	defer func() {
		for _, f := range files {
			if f.Incoming != nil {
				f.Discard()
			}
		}
	}()
	if err != nil {
		return answer{}, err
	}
	var additions []media.Addition
	for _, f := range files {
		if f.Incoming != nil {
			additions = append(additions, media.Addition{Incoming: f.Incoming, ID: a.ids.Next(c.at), Name: f.name, Type: f.kind})
		}
	}
	kept, err := a.media.Add(c.context(), c.accountID(), additions)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, uploads{c.id.String(), showUploads(c, files, kept)}}, nil
}

// showUploads tells what became of each file, in the order in which they came. kept are those that were not refused.
func showUploads(c *call, files []arrival, kept []gateway.Medium) []uploaded {
	shown := make([]uploaded, len(files))
	for i, f := range files {
		if f.Incoming == nil {
			refused := medium{ContentType: f.kind, FileName: f.name, Size: f.size}
			shown[i] = uploaded{refused, "failed", f.status, f.status, f.why}
			continue
		}
		shown[i] = uploaded{medium: showMedium(c, &kept[0]), Status: "success", StatusCode: http.StatusCreated}
		kept = kept[1:]
	}
	return shown
}

// receiveFiles takes in the files of a form, each straight to disk. What is wrong with one file is said of that file; what is wrong with the form
// refuses it. The files that it gives are the caller's to discard, also with an error.
func (a *API) receiveFiles(body *upload) (files []arrival, err error) {
	for range maxParts {
		part, err := body.form.NextPart()
		if err == io.EOF { // a wrapped one is a form that was cut off
			if len(files) == 0 {
				return nil, gateway.Errorf(gateway.Invalid, "file parameter not present")
			}
			return files, nil
		}
		if err != nil {
			return files, body.trouble(err)
		}
		if !isFile(part) {
			continue
		}
		if len(files) == maxFiles {
			return files, gateway.Errorf(gateway.Invalid, "an upload has at most %d files", maxFiles)
		}
		f, err := a.receiveFile(part)
		if err != nil {
			return files, body.trouble(err)
		}
		files = append(files, f)
	}
	return files, gateway.Errorf(gateway.Invalid, "invalid multipart form: too many parts")
}

// isFile tells whether a part of a form is meant as a file: it has a file's name, or is called as files are.
func isFile(part *multipart.Part) bool {
	bare, _, _ := strings.Cut(part.FormName(), "[") // PHP writes lists so
	return part.FileName() != "" || bare == "file"
}

// receiveFile takes in one file. An error is of the form or of the disk, not of the file.
func (a *API) receiveFile(part *multipart.Part) (arrival, error) {
	f := arrival{name: media.CleanName(part.FileName()), kind: part.Header.Get("Content-Type")}
	refuse := func(status int, why string) (arrival, error) {
		if f.Incoming != nil {
			f.Discard()
			f.Incoming = nil
		}
		if len(f.kind) > maxTypeShown {
			f.kind = ""
		}
		f.status, f.why = status, why
		return f, nil
	}
	in, err := a.media.Receive(part, maxFileSize)
	if errors.Is(err, media.ErrTooLarge) { // the rest of it is read past with the next part, within the bound of the body
		f.size = maxFileSize + 1
		return refuse(http.StatusRequestEntityTooLarge, "the file is larger than 2 MB")
	}
	if err != nil {
		return f, err
	}
	f.Incoming, f.size = in, in.Size
	if in.Size == 0 {
		return refuse(http.StatusBadRequest, "the file is empty")
	}
	kind, err := media.TypeOf(in.Head, f.kind, f.name)
	if err != nil {
		return refuse(http.StatusUnsupportedMediaType, err.Error())
	}
	f.kind = kind
	return f, nil
}

// maxTypeShown bounds what an answer repeats of a declared type.
const maxTypeShown = 100

// upload is the body of an upload on its way in.
type upload struct {
	form *multipart.Reader
	body *uploadBody
}

// openUpload begins to read the body of an upload, which is allowed more size and time than others.
func (c *call) openUpload() (*upload, error) {
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, gateway.Errorf(gateway.Invalid, "the request body must be multipart/form-data with the files in parts named file")
	}
	if c.r.ContentLength > maxUpload {
		return nil, errTooLarge
	}
	until := time.Now().Add(uploadPatience) // a connection that cannot be given longer keeps to the server's bounds
	_, _ = c.control.SetReadDeadline(until), c.control.SetWriteDeadline(until.Add(answerPatience))
	body := &uploadBody{from: c.r.Body, left: maxUpload}
	return &upload{multipart.NewReader(body, params["boundary"]), body}, nil
}

// trouble is what the caller hears of an error that came while the body was read.
func (u *upload) trouble(err error) error {
	var refusal *gateway.Error
	switch {
	case u.body.left < 0:
		return errTooLarge
	case errors.As(err, &refusal):
		return err
	}
	return gateway.Errorf(gateway.Invalid, "invalid multipart form")
}

// uploadBody gives no more of a body than it may have.
type uploadBody struct {
	from io.Reader
	left int64 // negative: there was more
}

func (b *uploadBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > b.left+1 { // one more, to tell the end from too much
		p = p[:b.left+1]
	}
	n, err := b.from.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, errTooLarge
	}
	return n, err
}

// uploading counts the uploads under way: each may take up the size of a body on disk before it is checked.
type uploading struct {
	mu  sync.Mutex
	all int
	own map[gateway.AccountID]int
}

// enter counts an upload of an account until leave is called, or refuses it.
func (u *uploading) enter(account gateway.AccountID) (leave func(), err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.own[account] >= ownUploads:
		return nil, gateway.Errorf(gateway.TooMany, "at most %d uploads at a time; try again when one has ended", ownUploads)
	case u.all >= maxUploads:
		return nil, gateway.Errorf(gateway.Unavailable, "too many uploads are under way; try again shortly")
	}
	u.all++
	u.own[account]++
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.all--
		if u.own[account]--; u.own[account] == 0 {
			delete(u.own, account)
		}
	}, nil
}

func (a *API) listMedia(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	p, err := readPage(args)
	if err != nil {
		return answer{}, err
	}
	found, total, err := a.store.Media(c.context(), gateway.MediumFilter{Account: c.accountID(), At: c.at, Limit: p.limit, Offset: p.offset})
	if err != nil {
		return answer{}, err
	}
	body := list[medium]{c.id.String(), newMeta(c.resource("/Media/"), args, p, total), make([]medium, len(found))}
	for i := range found {
		body.Objects[i] = showMedium(c, &found[i])
	}
	return answer{http.StatusOK, body}, nil
}

func (a *API) getMedium(c *call) (answer, error) {
	id, ok := gateway.ParseID(c.param(paramID))
	if !ok {
		return answer{}, errNotFound
	}
	found, err := a.store.MediaByID(c.context(), c.accountID(), []gateway.ID{id}, c.at)
	if err == nil && len(found) == 0 {
		err = errNotFound
	}
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, singleMedium{c.id.String(), showMedium(c, &found[0])}}, nil
}

// useMedia checks the media that a message names, and notes that they are used, so that they are still there when it leaves: but not for long after
// that, where its log hides them.
func (a *API) useMedia(c *call, req *mt.Request) error {
	if len(req.MediaIDs) == 0 {
		return nil
	}
	until := time.Time{}
	if req.Log.HidesContent() {
		until = c.at.Add(cmp.Or(req.Expiry, gateway.DefaultExpiry))
	}
	found, err := a.media.UseUntil(c.context(), c.accountID(), parseIDs(req.MediaIDs), until)
	if isNotFound(err) {
		return gateway.Errorf(gateway.Invalid, "media_ids names a file that is not there, or not any more")
	}
	if err != nil {
		return err
	}
	total := int64(0)
	for _, m := range found {
		total += m.Size
	}
	if total > maxMMSMedia {
		return gateway.Errorf(gateway.Invalid, "the files in media_ids have %d octets together, at most %d are allowed", total, maxMMSMedia)
	}
	return nil
}

// parseIDs reads ids that were checked before; others are left out.
func parseIDs(texts []string) []gateway.ID {
	ids := make([]gateway.ID, 0, len(texts))
	for _, text := range texts {
		if id, ok := gateway.ParseID(text); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// mediaOf reads the message in the path and the files that it names, as far as its log setting lets them be shown and they are still there.
func (a *API) mediaOf(c *call) (m *gateway.Message, found []gateway.Medium, err error) {
	id, ok := gateway.ParseID(c.param(paramID))
	if !ok {
		return nil, nil, errNotFound
	}
	if m, err = a.store.Message(c.context(), c.accountID(), id); err != nil {
		return nil, nil, err
	}
	if m.Log.HidesContent() || len(m.MediaIDs) == 0 {
		return m, nil, nil
	}
	owner, err := a.mediaOwner(c, m)
	if err != nil {
		return nil, nil, err
	}
	found, err = a.store.MediaByID(c.context(), owner, parseIDs(m.MediaIDs), c.at)
	return m, found, err
}

// mediaOwner is the account that has the files of a message: its own, or when that was removed, the main account.
func (a *API) mediaOwner(c *call, m *gateway.Message) (gateway.AccountID, error) {
	if m.Account == c.accountID() {
		return m.Account, nil
	}
	owner, err := a.accounts.get(c.context(), m.Account)
	if err == nil && !owner.exists {
		return c.accountID(), nil
	}
	return m.Account, err
}

func showMessageMedium(c *call, m *gateway.Message, medium *gateway.Medium) messageMedium {
	return messageMedium{medium.Type, medium.ID.String(), m.ID.String(), c.linkTo(medium), medium.Size}
}

func (a *API) listMessageMedia(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	p, err := readPage(args)
	if err != nil {
		return answer{}, err
	}
	m, found, err := a.mediaOf(c)
	if err != nil {
		return answer{}, err
	}
	path := c.resource("/Message/" + m.ID.String() + "/Media/")
	body := list[messageMedium]{c.id.String(), newMeta(path, args, p, len(found)), []messageMedium{}}
	for i := p.offset; i < len(found) && i < p.offset+p.limit; i++ {
		body.Objects = append(body.Objects, showMessageMedium(c, m, &found[i]))
	}
	return answer{http.StatusOK, body}, nil
}

func (a *API) getMessageMedium(c *call) (answer, error) {
	id, ok := gateway.ParseID(c.param(paramItem))
	if !ok {
		return answer{}, errNotFound
	}
	m, found, err := a.mediaOf(c)
	if err != nil {
		return answer{}, err
	}
	for i := range found {
		if found[i].ID == id {
			return answer{http.StatusOK, singleMessageMedium{c.id.String(), showMessageMedium(c, m, &found[i])}}, nil
		}
	}
	return answer{}, errNotFound
}

// deleteMessageMedia makes a message name no files any more. The files are the account's, and other messages may name them: they go in their time.
func (a *API) deleteMessageMedia(c *call) (answer, error) {
	id, ok := gateway.ParseID(c.param(paramID))
	if !ok {
		return answer{}, errNotFound
	}
	if err := a.store.ForgetMedia(c.context(), c.accountID(), id); err != nil {
		return answer{}, asInvalid(err)
	}
	return answer{status: http.StatusNoContent}, nil
}
