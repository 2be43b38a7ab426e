#ifndef CLIBXML2_H
#define CLIBXML2_H

// Debian's libxml2 includes ICU's headers for two members of a structure that nothing here uses.
// Foundation has an ICU of its own, another version, and a file that sees both doesn't compile.
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED

// The push parser and its SAX interface; the other headers of libxml2 stay out.
#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#endif
