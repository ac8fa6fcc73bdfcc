package pebble

import _ "github.com/weftbox/weftbox/metadata/metadatatest"
