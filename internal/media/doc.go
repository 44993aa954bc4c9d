// Package media keeps the files that accounts send with MMS: each content once on disk, named by its SHA-256, while the rows of its owners are
// in the store. See docs/media.md.
//
//	library.go  files and rows together: adding, using, expiring
//	files.go    the folder of contents
//	incoming.go a file on its way in
//	kind.go     which types are taken, and what a file really is
//	name.go     names of files as owners give them
//	link.go     signed links that expire
//	serve.go    what a link leads to
//
//	fetch.go     files that messages name by their address
//	freshness.go how long what an address gave is used without asking again
//	pace.go      how slow a server may be
//	flight.go    what several ask for is done once
//	gate.go      how much is done at a time, and for whom
//	failure.go   why a file cannot be sent
//	prepare.go   the files of a message, ready for its carrier
//
//	adapt.go     pictures as a carrier takes them, made once
//	adapted.go   the folder of what was made
//	share.go     the files of a message as they fit together
//	picture.go   what a picture shows before it is decoded, and what is made of it
//	jpeg.go      JPEG without metadata
//	png.go       PNG without metadata
//	gif.go       GIF without metadata, and what a viewer shows of it
//	exif.go      how a picture is to be turned
//	shrink.go    fewer pixels, turned pixels
//	animation.go GIF made smaller
//	palette.go   which colours stay
package media
