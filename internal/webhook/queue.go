package webhook

// queue is a list that is taken from at the front. Its memory is reused.
type queue[T any] struct {
	list []T
	head int // list[:head] are gone
}

func (q *queue[T]) len() int { return len(q.list) - q.head }

func (q *queue[T]) push(v T) { q.list = append(q.list, v) }

// pop takes the first one out; there must be one.
func (q *queue[T]) pop() T {
	var none T
	v := q.list[q.head]
	q.list[q.head] = none
	q.head++
	switch {
	case q.head == len(q.list):
		q.list, q.head = q.list[:0], 0
	case q.head >= 64 && q.head > len(q.list)/2:
		n := copy(q.list, q.list[q.head:])
		clear(q.list[n:])
		q.list, q.head = q.list[:n], 0
	}
	return v
}

// front is the first one; there must be one.
func (q *queue[T]) front() T { return q.list[q.head] }

// rotate puts the first one at the end.
func (q *queue[T]) rotate() {
	if q.len() > 1 {
		q.push(q.pop())
	}
}

// insert puts a value before the first that comes after it; most belong at the end, or at the front.
func (q *queue[T]) insert(v T, before func(a, b T) bool) {
	if q.head > 0 && q.len() > 0 && before(v, q.list[q.head]) {
		q.head--
		q.list[q.head] = v
		return
	}
	q.list = append(q.list, v)
	for i := len(q.list) - 1; i > q.head && before(v, q.list[i-1]); i-- {
		q.list[i], q.list[i-1] = q.list[i-1], v
	}
}

// cut takes out all but the first n and gives them.
func (q *queue[T]) cut(n int) []T {
	if q.len() <= n {
		return nil
	}
	rest := append([]T(nil), q.list[q.head+n:]...)
	clear(q.list[q.head+n:])
	q.list = q.list[:q.head+n]
	return rest
}
