package slots

import clock "time"

var later = clock.Until(start)
