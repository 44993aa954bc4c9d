package media

import "encoding/binary"

// upright is the orientation of a picture that is stored as it is seen.
const upright = 1

// exifOrientation reads how a picture is to be turned from what follows "Exif\0\0" (Exif 2.32, 4.6.4, tag 0112; TIFF 6.0). What makes no sense is
// upright.
func exifOrientation(tiff []byte) int {
	const orientationTag, short, entry = 0x0112, 3, 12
	if len(tiff) < 8 {
		return upright
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return upright
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return upright
	}
	fields := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(fields) < entry {
			return upright
		}
		if order.Uint16(fields) == orientationTag && order.Uint16(fields[2:]) == short {
			if o := int(order.Uint16(fields[8:])); o >= upright && o <= 8 {
				return o
			}
			return upright
		}
		fields = fields[entry:]
	}
	return upright
}
