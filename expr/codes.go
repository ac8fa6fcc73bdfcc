package expr

// Code is one kind of Problem: the number by which it is known, and what it means in one line.
type Code struct {
	Code string
	Text string
}

// The codes of Problem. Their texts stand in Codes.
const (
	codeEmpty      = "WB1301"
	codeCharacter  = "WB1302"
	codeString     = "WB1303"
	codeNumber     = "WB1304"
	codeUnexpected = "WB1305"
	codeEnded      = "WB1306"
	codeChain      = "WB1307"
	codeNot        = "WB1308"
	codeForeign    = "WB1309"
	codeTemplate   = "WB1310"
	codeHost       = "WB1311"
	codeAssign     = "WB1312"

	codeFunction = "WB1401"
	codeName     = "WB1402"
	codeContext  = "WB1403"
	codeCount    = "WB1404"
	codeType     = "WB1405"
	codeRegex    = "WB1406"
	codeMethod   = "WB1407"
	codeMutate   = "WB1408"
	codeVariable = "WB1409"
	codeWhen     = "WB1410"
	codeFails    = "WB1411"
	codeProperty = "WB1412"
	codePattern  = "WB1413"
	codeFormat   = "WB1414"
	codeInternal = "WB1499"

	codeLength     = "WB1501"
	codeNodes      = "WB1502"
	codeDepth      = "WB1503"
	codeRegexLimit = "WB1504"
	codeBudget     = "WB1505"

	codeQuotedTemplate = "WB2501"
	codeSometimesFails = "WB2502"
	codeNeverEqual     = "WB2504"
)

// Codes explains every code a Problem of this package may carry, in ascending order. It is data: nobody writes into it.
var Codes = []Code{
	{codeEmpty, "The expression is empty or blank."},
	{codeCharacter, "A character that is no part of the language; the hint names the sign that was meant."},
	{codeString, "A text has no closing quote. A quote inside a text is doubled; a backslash means nothing."},
	{codeNumber, "A number is malformed or does not fit into 64 bits."},
	{codeUnexpected, "Something stands where the grammar has no place for it."},
	{codeEnded, "The expression ends too early."},
	{codeChain, "Comparisons and ^ do not chain: join two comparisons with AND, or use parentheses."},
	{codeNot, "NOT binds to the operand right behind it only: put the comparison into parentheses."},
	{codeForeign, "An operator or word of another language."},
	{codeTemplate, "A ${ has no closing } or nothing between the braces."},
	{codeHost, "Class access (T(..), new, instanceof, .class, @bean) is not part of the language."},
	{codeAssign, "An expression cannot assign; variables are set with context_vars or update_var."},
	{codeFunction, "No function has this name."},
	{codeName, "No constant, object or namespace has this name. A text needs quotes, a function parentheses."},
	{codeContext, "The function exists but cannot be used in this place."},
	{codeCount, "The function takes another number of arguments."},
	{codeType, "An argument or operand has a type that can never be right."},
	{codeRegex, "The regular expression is malformed or uses a construct that RE2 does not know."},
	{codeMethod, "No value has a method of this name, or not with this number of arguments."},
	{codeMutate, "The method would change a value in place; lists and maps never change, use list.* or map.*."},
	{codeVariable, "Only #this and #root exist."},
	{codeWhen, "when(..).then(..) must end with .get(..)."},
	{codeFails, "This part has the same operands every time, and always fails."},
	{codeProperty, "The object has no property of this name, or is not a value by itself."},
	{codePattern, "The pattern of a date is malformed, or has a letter that means nothing here."},
	{codeFormat, "The format of str is malformed, has a verb that means nothing here, or more verbs than arguments."},
	{codeInternal, "The compiler failed on a valid expression. No expression is known that leads here; please report yours."},
	{codeLength, "The source is longer than 16 KiB, or a name in it longer than 128 characters."},
	{codeNodes, "The expression has more than 2,000 parts."},
	{codeDepth, "The expression is nested more than 100 levels deep."},
	{codeRegexLimit, "The regular expression is too long or would need too much memory."},
	{codeBudget, "A constant part of the expression exceeds the budget of an evaluation."},
	{codeQuotedTemplate, "A ${ stands inside a quoted text and makes the whole source a template; there is no escape."},
	{codeSometimesFails, "This part always fails when it is reached."},
	{codeNeverEqual, "The two sides of a comparison have types that are never equal."},
}
