/** What octets mean, as the translator and traces answer it. */
export interface TreeNode {
  readonly name: string;
  readonly value?: string;
  readonly octets?: string;
  readonly error?: true;
  readonly children?: readonly TreeNode[];
}

export function Tree({ nodes }: { nodes: readonly TreeNode[] }) {
  return (
    <ul class="tree">
      {nodes.map((node, at) => (
        <li key={at}>
          <Leaf node={node} />
          {node.children !== undefined && node.children.length > 0 && <Tree nodes={node.children} />}
        </li>
      ))}
    </ul>
  );
}

function Leaf({ node: { name, value, octets, error } }: { node: TreeNode }) {
  return (
    <>
      <b class={error === true ? "bad" : undefined}>{name}</b> {value} <code class="quiet">{octets}</code>
    </>
  );
}
