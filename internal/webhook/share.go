package webhook

// class is what posts are charged to. Each class has posts of its own, so that endpoints which fail, or are not known yet, take none from
// those that work. A post is charged to the class that it left in until it ends, whatever becomes of its endpoint meanwhile.
type class int

const (
	proven   class = iota // it answers
	unproven              // nobody at its host has been heard of yet
	failing               // it fails, or keeps its posts waiting

	classes
)

// posts bounds the class's posts at one time.
func (c class) posts() int {
	if c == proven {
		return 1536
	}
	return 256
}

// events is how many events of the class wait in memory before its endpoints hold only a few each.
func (c class) events() int {
	if c == proven {
		return 16_384
	}
	return 4096
}

const (
	// reserveParts is how small a part of what is left the next account gets of the reserve.
	reserveParts = 16
	// laneParts is how small a part of what its account may still take a lane gets.
	laneParts = 8
)

// allowance is how many more of something an account may take that has mine of it, when all accounts together have used of total. The first
// half goes to whoever asks, in turns. The second half is the reserve: of that an account gets no more than brings it to a sixteenth of
// what is left, but always its first one. So an account that comes newly finds room at once, however much the others hold and for how long.
func allowance(total, used, mine int) int {
	left := total - used
	if left <= 0 {
		return 0
	}
	return max(total/2-used, max(1, left/reserveParts)-mine)
}
