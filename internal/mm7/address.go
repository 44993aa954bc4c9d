package mm7

import "strings"

// AddressKind says what an address is.
type AddressKind uint8

// Kinds of addresses.
const (
	Number    AddressKind = iota // E.164; with or without +, as the MMSC likes it
	RFC2822                      // user@host
	ShortCode                    // a service's number within one network
)

func (k AddressKind) element() string {
	switch k {
	case RFC2822:
		return "RFC2822Address"
	case ShortCode:
		return "ShortCode"
	}
	return "Number"
}

// Address is one of a sender or recipient. TS 23.140, addressType.
type Address struct {
	Kind        AddressKind
	Value       string
	DisplayOnly bool   // shown to the other recipients, and not sent to
	Coding      string // addressCoding: encrypted or obfuscated; empty: plain
	ID          string // of an obfuscated address
}

// Recipients are whom a message goes to.
type Recipients struct {
	To, Cc, Bcc []Address
}

// Len counts all of them.
func (r *Recipients) Len() int { return len(r.To) + len(r.Cc) + len(r.Bcc) }

func (a Address) write(w *writer) {
	attrs := make([]string, 0, 6)
	if a.DisplayOnly {
		attrs = append(attrs, "displayOnly", "true")
	}
	if a.Coding != "" {
		attrs = append(attrs, "addressCoding", a.Coding)
	}
	if a.ID != "" {
		attrs = append(attrs, "id", a.ID)
	}
	name := a.Kind.element()
	w.open(name, attrs...)
	w.escaped(a.Value)
	w.close(name)
}

// writeWithin writes an address inside an element that holds one; nothing for none.
func (a Address) writeWithin(w *writer, name string) {
	if a.Value == "" {
		return
	}
	w.open(name)
	a.write(w)
	w.close(name)
}

func (r *Recipients) write(w *writer) {
	if r.Len() == 0 {
		return
	}
	w.open("Recipients")
	for _, group := range []struct {
		name      string
		addresses []Address
	}{{"To", r.To}, {"Cc", r.Cc}, {"Bcc", r.Bcc}} {
		if len(group.addresses) == 0 {
			continue
		}
		w.open(group.name)
		for _, address := range group.addresses {
			address.write(w)
		}
		w.close(group.name)
	}
	w.close("Recipients")
}

// addresses reads what stands inside an element that holds addresses. Before REL-5-MM7-1-2 the element itself holds a bare number.
func addresses(e *element) []Address {
	if e == nil {
		return nil
	}
	var found []Address
	for _, child := range e.children {
		address := Address{Value: child.text, Coding: child.attr("addressCoding"), ID: child.attr("id"), DisplayOnly: isTrue(child.attr("displayOnly"))}
		switch child.name {
		case "Number":
		case "RFC2822Address":
			address.Kind = RFC2822
		case "ShortCode":
			address.Kind = ShortCode
		default:
			continue
		}
		if address.strip(); address.Value != "" {
			found = append(found, address)
		}
	}
	if len(found) == 0 && e.text != "" {
		bare := Address{Value: e.text, DisplayOnly: isTrue(e.attr("displayOnly"))}
		if strings.Contains(bare.Value, "@") {
			bare.Kind = RFC2822
		}
		bare.strip()
		return []Address{bare}
	}
	return found
}

// strip takes off what marks a number on the other interfaces of an MMSC, and slips into MM7.
func (a *Address) strip() {
	const mark = "/TYPE=PLMN"
	if at := len(a.Value) - len(mark); at > 0 && strings.EqualFold(a.Value[at:], mark) {
		a.Value = a.Value[:at]
		if a.Kind == RFC2822 {
			a.Kind = Number
		}
	}
}

// address reads an element that holds one address.
func address(e *element) Address {
	if all := addresses(e); len(all) > 0 {
		return all[0]
	}
	return Address{}
}

func (r *Recipients) read(e *element) {
	if e == nil {
		return
	}
	for _, child := range e.children {
		switch child.name {
		case "To":
			r.To = append(r.To, addresses(child)...)
		case "Cc":
			r.Cc = append(r.Cc, addresses(child)...)
		case "Bcc":
			r.Bcc = append(r.Bcc, addresses(child)...)
		}
	}
}
