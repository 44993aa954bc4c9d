// Package mo is the way of a message from a handset: parts that carriers bring are kept, joined, understood (keywords) and handed on to
// the account that rents the number.
package mo
