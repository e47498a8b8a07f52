/** An object that a companion specification or the list of the DLMS User Association has a name for. */
export type NamedObject = readonly [logicalName: string, classId: number, name: string];
