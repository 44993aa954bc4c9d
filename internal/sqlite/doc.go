// Package sqlite is the store of one process: an SQLite database in the data folder, write-ahead log, every commit flushed to the disk
// before it counts. It satisfies what mt, dlr, webhook, plivo and operator ask of a store.
//
// One connection writes, one transaction at a time, begun IMMEDIATE; a few others read beside it. A method is one step over a batch in
// one transaction: callers gather (groupcommit), because the flush costs more than the rows.
//
// States are moved by gateway's rules alone: a method loads a message's Progress, calls the rule, writes what came out.
//
// A single-part message costs three row writes beside its events: InsertMessages, RecordSubmits, ApplyReceipts (two when the receipt comes
// while the submit is still in hand). The carrier's id of a single part is kept in the message's row, those of several parts in their
// own table.
package sqlite
