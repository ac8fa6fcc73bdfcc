package expr

// The limits of the language. What goes beyond one of them is a Problem with a code WB15xx when it is seen in the source, and an
// Error with Limit set when it is seen in an evaluation.
const (
	// MaxSourceBytes is the longest source of one expression or template, in bytes.
	MaxSourceBytes = 16 << 10
	// MaxNameRunes is how many characters a name of a function, property or method may have.
	MaxNameRunes = 128
	// MaxNodes is how many operators, operands and calls one source may hold.
	MaxNodes = 2000
	// MaxDepth is how deeply parentheses, brackets, braces, unary operators and branches may be nested.
	MaxDepth = 100
	// MaxTicks is how many ticks one evaluation may spend when Scope.MaxTicks is 0. A call is a tick; so is an item walked over
	// and every 256 bytes of text scanned.
	MaxTicks = 100_000
	// MaxBytes is how many bytes of text, lists, maps and decimals one evaluation may make when Scope.MaxBytes is 0.
	MaxBytes = 4 << 20
	// MaxItems is how many items a list or map made by an expression may hold.
	MaxItems = 50_000
	// MaxRegexBytes is the longest source of a regular expression, in bytes.
	MaxRegexBytes = 1000
	// MaxRegexCost is how many instructions a regular expression may need.
	MaxRegexCost = 10_000
	// MaxDecimalDigits is how many digits, zeros implied by an exponent included, a decimal may have in arithmetic.
	MaxDecimalDigits = 1000
	// MaxFormatWidth is the largest width and precision in a format of str.
	MaxFormatWidth = 1000
	// MaxValueDepth is how deeply lists and maps may be nested where a value is compared or printed.
	MaxValueDepth = 200

	// maxFoldBytes bounds what one constant kept inside a program may have cost to make.
	maxFoldBytes = 64 << 10
	// maxRegexCache is how many dynamic regular expressions a Scope remembers.
	maxRegexCache = 64
	// bigRunTicks is from where on an evaluation's machine is thrown away, so that a Scope does not keep its buffers.
	bigRunTicks = 5000

	listBase, itemBytes, entryBytes = 24, 16, 64
)
