package media

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/heliograph/heliograph/internal/gateway"
)

// MessageLimits are what a carrier has room for in one message.
type MessageLimits struct {
	// MaxBytes is for all files together: what is left of the carrier's limit when text, SMIL and the heads of the parts have theirs.
	MaxBytes int64
	File     Limits // of each
}

// shareStep is what shares are rounded down to, so that messages with nearly the same room get the same files.
const shareStep = 1 << 10

// AdaptMessage gives the files of a message as they fit together, in their order; each is closed by the caller. What is no picture stays as large as
// it is; pictures that are smaller than their share leave the rest to the others. The errors are those of Adapted.
func (l *Library) AdaptMessage(ctx context.Context, list []gateway.Medium, limits MessageLimits) ([]*File, error) {
	sizes := make([]int64, len(list))
	for i, m := range list {
		sizes[i] = m.Size
		if limits.File.MaxBytes > 0 && isPicture(m.Type) {
			sizes[i] = min(m.Size, limits.File.MaxBytes)
		}
	}
	shares := make([]int64, len(list))
	for {
		// A share that was given is not taken back: each turn makes some file smaller, until all fit or nothing is left for one.
		if !divide(shares, limits.MaxBytes, sizes, list) {
			return nil, failuref(gateway.MediaTooLarge, "the files of the message have %d octets together, and %d can be sent", sum(sizes), limits.MaxBytes)
		}
		files, err := l.adaptAll(ctx, list, limits.File, shares)
		if err != nil {
			return nil, err
		}
		for i, file := range files {
			sizes[i] = file.Size
		}
		if sum(sizes) <= limits.MaxBytes {
			return files, nil
		}
		// A picture that was turned, say, has more octets than its source had. They are known now, and shares are made of them.
		if err := closeAll(files); err != nil {
			return nil, l.diskError(err)
		}
	}
}

func sum(sizes []int64) (total int64) {
	for _, size := range sizes {
		total += size
	}
	return total
}

// adaptAll adapts each to its share; 0: what the limits say. None stays open when one fails.
func (l *Library) adaptAll(ctx context.Context, list []gateway.Medium, limits Limits, shares []int64) (files []*File, err error) {
	for i := range list {
		each := limits
		if shares[i] > 0 {
			each.MaxBytes = shares[i]
		}
		file, err := l.Adapted(ctx, &list[i], each)
		if err != nil {
			return nil, errors.Join(err, closeAll(files))
		}
		files = append(files, file)
	}
	return files, nil
}

func closeAll(files []*File) (err error) {
	for _, file := range files {
		err = errors.Join(err, file.Close())
	}
	return err
}

// divide sets what each file may have of a total when their sizes are more: what is no picture has all that it has, pictures that are small too, and
// the others have the same share of what is left. The shares of those that may stay as they are it leaves alone. It is false when nothing is left for
// some.
func divide(shares []int64, total int64, sizes []int64, list []gateway.Medium) bool {
	var open []int // pictures, the smallest first
	for i, size := range sizes {
		if isPicture(list[i].Type) {
			open = append(open, i)
		} else {
			total -= size
		}
	}
	slices.SortStableFunc(open, func(a, b int) int { return cmp.Compare(sizes[a], sizes[b]) })
	for n, i := range open {
		share := total / int64(len(open)-n)
		if sizes[i] <= share {
			total -= sizes[i]
			continue
		}
		if share = share / shareStep * shareStep; share <= 0 {
			return false
		}
		for _, larger := range open[n:] {
			shares[larger] = share
		}
		return true
	}
	return total >= 0
}
