package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lockName is the file in the data folder whose lock says that a process uses the folder. The kernel drops the lock when the process
// ends, however it ends; the file stays and means nothing.
const lockName = "lock"

// lockFolder takes the folder's lock or fails at once.
func lockFolder(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	switch {
	case err == nil:
		return file, nil
	case errors.Is(err, unix.EWOULDBLOCK):
		err = fmt.Errorf("data folder %s is in use by another process", dir)
	default:
		err = fmt.Errorf("data folder %s cannot be locked: %w", dir, err)
	}
	return nil, errors.Join(err, file.Close())
}
